/** Why something about an image failed, for those who branch on it. */
export type ImageErrorReason =
  /** The user wrote something that is not a reference, a platform, an archive… */
  | "malformed"
  | "not-found"
  /** Bytes do not hash to the digest they are filed or offered under. */
  | "damaged"
  /** An archive or layer tries to write where it must not. */
  | "unsafe"
  | "too-large"
  | "unauthorized"
  | "denied"
  | "throttled"
  /** The registry cannot be reached, breaks off or answers 5xx. */
  | "unavailable"
  /** A registry answers outside the specification. */
  | "protocol";

/** The message says what, where and what to do. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly reason: ImageErrorReason;

  constructor(reason: ImageErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export function isImageError(error: unknown, ...reasons: readonly ImageErrorReason[]): error is ImageError {
  return error instanceof ImageError && (reasons.length === 0 || reasons.includes(error.reason));
}
