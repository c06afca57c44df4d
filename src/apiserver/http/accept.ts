import { notAcceptable } from "../../api/meta/errors.ts";

/** The form an answer is wanted in. `version` is that of meta.k8s.io asked for. */
export type Form =
  | { readonly as: "object"; readonly yaml: boolean }
  | { readonly as: "table" | "partial"; readonly version: "v1" | "v1beta1" };

/** The forms a client takes, most wanted first; never empty. */
export type Accepted = readonly Form[];

const plain: Form = { as: "object", yaml: false };
const known = new Map<string, Accepted>();
/** Clients send a handful of different headers; more than this many is somebody playing. */
const maxKnown = 200;

/** Reads an Accept header; throws 406 when nothing in it can be served. */
export function parseAccept(header: string | undefined): Accepted {
  const text = header ?? "";
  const found = known.get(text) ?? (text === "" ? [plain] : formsOf(text));
  if (found.length === 0)
    throw notAcceptable(
      "only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    );
  if (known.size < maxKnown) known.set(text, found);
  return found;
}

function formsOf(header: string): Form[] {
  return header
    .split(",")
    .map((part) => formOf(part))
    .filter((form) => form !== undefined);
}

function formOf(part: string): Form | undefined {
  const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
  const value = (name: string): string | undefined =>
    parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
  const json = ["application/json", "*/*", "application/*"].includes(type);
  const yaml = type === "application/yaml";
  if (!json && !yaml) return undefined;
  const as = value("as");
  if (as === undefined) return { as: "object", yaml };
  if (yaml || value("g") !== "meta.k8s.io") return undefined;
  const version = value("v");
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "table") return { as: "table", version };
  return as === "partialobjectmetadata" || as === "partialobjectmetadatalist" ? { as: "partial", version } : undefined;
}
