// What a protocol does for the gateway. Those with the operation's name in the body (query, ec2) and those with it in
// method and path (rest-xml) differ in what they must see first; json, rest-json and cbor will fit beside them.
import type { Readable } from 'node:stream'
import type { DeclaredError } from '../../kernel/errors.ts'
import type { OperationModel, ServiceModel } from '../model.ts'

export type Input = Record<string, unknown>
/** `$status` overrides the status of the model, e.g. 206 of a ranged GetObject. */
export type Output = Record<string, unknown> & { $status?: number }

export type Answer = {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array | Readable | undefined
}

export type Protocol = {
  answer(model: ServiceModel, operation: OperationModel, output: Output, requestId: string): Answer
  error(
    error: DeclaredError,
    about: { model: ServiceModel | undefined; requestId: string; resource: string },
  ): Answer
}
