/** The codes of the distribution specification, with the status each goes with. */
export const registryCodes = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
} as const;

export type RegistryCode = keyof typeof registryCodes;

/** An answer of the registry that is an error, in the form clients know. */
export class RegistryFailure extends Error {
  override readonly name = "RegistryFailure";
  readonly code: RegistryCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(
    code: RegistryCode,
    message: string,
    more: {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly detail?: unknown;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.status = more.status ?? registryCodes[code];
    this.headers = more.headers ?? {};
    this.detail = more.detail;
  }

  get body(): string {
    const { code, message, detail } = this;
    return JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] });
  }
}
