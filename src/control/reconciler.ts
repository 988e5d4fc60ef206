// A reconciler compares rows with the world and acts. It takes no input: what changed, it finds by looking.
export type Reconciler = {
  /** `service.noun`, as shown by `status` and in logs. */
  name: string
  everyMs: number
  /** Tables whose committed change wakes it; the content of the change is not used. */
  wakes: string[]
  /** One pass. It reads the outside first and the rows last, and hands slow work to lanes, so it is short. */
  reconcile(signal: AbortSignal): Promise<Record<string, unknown>>
}
