// Names that programs of this machine find without any name server.
//
// Contract, checked by conformance.ts: after `put` these names lead to this machine's loopback, and names that were put before and are
// not among them do not. What others have written there stays.

export type HostsEngine = {
  put(names: string[]): Promise<void>
  /** What programs of this machine are told of a name; none = nothing. Rejects when that cannot be told. */
  lookup(name: string): Promise<string[]>
}
