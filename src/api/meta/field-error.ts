/** One failed check of one field, as `metav1.StatusCause` reports it (apimachinery pkg/util/validation/field/errors.go). */
export interface FieldError {
  readonly type:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueNotSupported"
    | "FieldValueForbidden"
    | "FieldValueDuplicate"
    | "FieldValueNotFound"
    | "FieldValueTooLong"
    | "FieldValueTooMany"
    | "FieldValueTypeInvalid";
  /** Path such as `spec.template.spec.containers[0].name`. */
  readonly field: string;
  /** The message without the path, such as `Required value: name is needed`. */
  readonly message: string;
  /** Second line of a webhook's denial (`KindDefinition.denial`); not part of a 422. */
  readonly details?: string;
}

const quote = (value: unknown): string => (value === undefined ? "null" : JSON.stringify(value));

export const fieldError: {
  required(field: string, detail?: string): FieldError;
  invalid(field: string, value: unknown, detail: string): FieldError;
  notSupported(field: string, value: unknown, supported: readonly string[]): FieldError;
  forbidden(field: string, detail: string): FieldError;
  duplicate(field: string, value: unknown): FieldError;
  notFound(field: string, value: unknown): FieldError;
  tooLong(field: string, maxLength: number): FieldError;
  tooMany(field: string, actual: number, max: number): FieldError;
  typeInvalid(field: string, value: unknown, detail: string): FieldError;
} = {
  required: (field, detail) => ({
    type: "FieldValueRequired",
    field,
    message: detail ? `Required value: ${detail}` : "Required value",
  }),
  invalid: (field, value, detail) => ({
    type: "FieldValueInvalid",
    field,
    message: `Invalid value: ${quote(value)}: ${detail}`,
  }),
  notSupported: (field, value, supported) => ({
    type: "FieldValueNotSupported",
    field,
    message: `Unsupported value: ${quote(value)}: supported values: ${supported.map(quote).join(", ")}`,
  }),
  forbidden: (field, detail) => ({ type: "FieldValueForbidden", field, message: `Forbidden: ${detail}` }),
  duplicate: (field, value) => ({ type: "FieldValueDuplicate", field, message: `Duplicate value: ${quote(value)}` }),
  notFound: (field, value) => ({ type: "FieldValueNotFound", field, message: `Not found: ${quote(value)}` }),
  tooLong: (field, maxLength) => ({
    type: "FieldValueTooLong",
    field,
    message: `Too long: may not be more than ${maxLength} bytes`,
  }),
  tooMany: (field, actual, max) => ({
    type: "FieldValueTooMany",
    field,
    message: `Too many: ${actual}: must have at most ${max} items`,
  }),
  typeInvalid: (field, value, detail) => ({
    type: "FieldValueTypeInvalid",
    field,
    message: `Invalid value: ${quote(value)}: ${detail}`,
  }),
};
