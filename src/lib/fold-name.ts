/** A field's name as hashes and comparisons see it: lower case, `_` and `.` as `-`, as upstreams may fold it. Makes a string; not for every field. */
export function foldName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-').replaceAll('.', '-')
}
