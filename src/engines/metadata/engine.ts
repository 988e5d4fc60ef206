// Where instances ask for what they are told of themselves: http://169.254.169.254, and nowhere else.
//
// Contract:
// - Who asks is told by the address that the packets came from, which the network guarantees (anti-spoofing). Nothing that
//   a client says of itself counts, whatever its headers are called.
// - An instance that asks too much or too slowly is held off before it costs the control plane anything, and costs no other
//   instance and no client of a load balancer anything either.
// - While the control plane is dead the answer is 503, at once; clients ask again, as they do on AWS.

/** Header names are lower case. */
export type MetadataRequest = {
  /** The instance's address in the VPC. */
  source: string
  method: string
  /** As it was sent, without the query. */
  path: string
  headers: Readonly<Record<string, string | undefined>>
}

export type MetadataAnswer = {
  status: number
  /** Without it, that of an error in AWS's form. */
  body?: string | Buffer
  headers?: Record<string, string>
}

export type MetadataDoor = {
  /** Makes the door what it should be; idempotent. It answers by what was given to `open` last. */
  ensure(): Promise<void>
  /** From now on this process answers. `close` leaves the door, which then answers 503. */
  open(answer: (request: MetadataRequest) => MetadataAnswer): Promise<{ close(): Promise<void> }>
}
