/** An object without inherited members, whose keys may be any text: `constructor` is there only if it was put. */
export const dictionary = <T>(...from: Readonly<Record<string, T>>[]): Record<string, T> =>
  Object.assign(Object.create(null) as Record<string, T>, ...from) as Record<string, T>
