/**
 * The one error that crosses rooms: an API Status. Reason and code pairs are those of
 * apimachinery pkg/api/errors/errors.go; nothing else in ebb builds a Status.
 */
import type { FieldError } from "./field-error.ts";
import { resourceOf, type Kind } from "./kind.ts";
import type { Status, StatusDetails } from "./types.gen.ts";

const brand = Symbol.for("ebb.ApiError");

export class ApiError extends Error {
  readonly status: Status;
  readonly [brand] = true;

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? "unknown API error", options);
    this.name = "ApiError";
    this.status = status;
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): string {
    return this.status.reason ?? "";
  }
}

/** Survives duplicate copies of this module, unlike instanceof. */
export function isApiError(error: unknown): error is ApiError {
  return typeof error === "object" && error !== null && brand in error;
}

/** Builds the Status of a failure; `details` are left out when not given. */
export function failure(code: number, reason: string, message: string, details?: StatusDetails): ApiError {
  const head = { kind: "Status", apiVersion: "v1" };
  const base = { ...head, metadata: {}, status: "Failure", message, reason };
  return new ApiError({ ...base, ...(details ? { details } : {}), code } as Status);
}

type ResourceName = Pick<Kind, "group" | "plural">;
type KindName = Pick<Kind, "group" | "kind">;

const resourceDetails = (kind: ResourceName, name: string): StatusDetails => ({
  ...(name === "" ? {} : { name }),
  ...(kind.group === "" ? {} : { group: kind.group }),
  kind: kind.plural,
});

export const badRequest = (message: string): ApiError => failure(400, "BadRequest", message);

export const unauthorized = (): ApiError => failure(401, "Unauthorized", "Unauthorized");

/** `pods "x" is forbidden: <why>`. */
export const forbidden = (kind: ResourceName, name: string, why: string): ApiError =>
  failure(
    403,
    "Forbidden",
    name === "" ? `${resourceOf(kind)} is forbidden: ${why}` : `${resourceOf(kind)} "${name}" is forbidden: ${why}`,
    resourceDetails(kind, name),
  );

export const notFound = (kind: ResourceName, name: string): ApiError =>
  failure(404, "NotFound", `${resourceOf(kind)} "${name}" not found`, resourceDetails(kind, name));

export const alreadyExists = (kind: ResourceName, name: string): ApiError =>
  failure(409, "AlreadyExists", `${resourceOf(kind)} "${name}" already exists`, resourceDetails(kind, name));

/** `Operation cannot be fulfilled on deployments.apps "web": <why>`. */
export const conflict = (kind: ResourceName, name: string, why: string = modified): ApiError =>
  failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${resourceOf(kind)} "${name}": ${why}`,
    resourceDetails(kind, name),
  );

const modified = "the object has been modified; please apply your changes to the latest version and try again";

/** 410 Expired: the history asked for is compacted; informers list again. */
export const expired = (message: string): ApiError => failure(410, "Expired", message);

/** 422 with every field error as a cause. */
export function invalid(kind: KindName, name: string, errors: readonly FieldError[]): ApiError {
  const texts = errors.map((e) => `${e.field}: ${e.message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const title = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return failure(422, "Invalid", `${title} "${name}" is invalid: ${list}`, {
    name,
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.kind,
    causes: errors.map((e) => ({ reason: e.type, message: e.message, field: e.field })),
  });
}

export const methodNotAllowed = (message: string): ApiError => failure(405, "MethodNotAllowed", message);
export const notAcceptable = (message: string): ApiError => failure(406, "NotAcceptable", message);
export const tooLarge = (message: string): ApiError => failure(413, "RequestEntityTooLarge", message);
export const unsupportedMediaType = (message: string): ApiError => failure(415, "UnsupportedMediaType", message);
export const internalError = (message: string): ApiError =>
  failure(500, "InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
export const serviceUnavailable = (message: string): ApiError => failure(503, "ServiceUnavailable", message);

const hasReason =
  (reason: string) =>
  (error: unknown): error is ApiError =>
    isApiError(error) && error.reason === reason;

export const isNotFound: (error: unknown) => error is ApiError = hasReason("NotFound");
export const isAlreadyExists: (error: unknown) => error is ApiError = hasReason("AlreadyExists");
export const isConflict: (error: unknown) => error is ApiError = hasReason("Conflict");
export const isInvalid: (error: unknown) => error is ApiError = hasReason("Invalid");
export const isForbidden: (error: unknown) => error is ApiError = hasReason("Forbidden");
/** Watch or list from a version that is no longer kept: 410 Expired or Gone. */
export const isExpired = (error: unknown): error is ApiError => isApiError(error) && error.code === 410;
