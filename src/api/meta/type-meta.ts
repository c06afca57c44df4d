/** What names an object's type on the wire. Built-in list items omit it; objects read alone carry it. */
export interface TypeMeta {
  readonly apiVersion?: string;
  readonly kind?: string;
}
