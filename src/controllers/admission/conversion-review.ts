/** ConversionReview, version v1 (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1): objects of one version for another. */
import { badRequest } from "../../api/meta/errors.ts";
import type { KubeObject } from "../../api/meta/object.ts";
import type { VersionConverter } from "./version-converter.ts";

interface ConversionReview {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly request?: {
    readonly uid?: string;
    readonly desiredAPIVersion?: string;
    readonly objects?: readonly KubeObject[];
  };
}

/** All of them or none. Throws BadRequest for what is no review. */
export function answerConversion(text: string, convert: VersionConverter): object {
  const { uid, desiredAPIVersion, objects } = parse(text);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "ConversionReview",
    response: { uid, ...converted(() => objects.map((object) => convert(object, desiredAPIVersion))) },
  };
}

function converted(convert: () => readonly KubeObject[]): object {
  try {
    return { convertedObjects: convert(), result: { status: "Success" } };
  } catch (error) {
    return { result: { status: "Failure", message: error instanceof Error ? error.message : String(error) } };
  }
}

function parse(text: string): {
  readonly uid: string;
  readonly desiredAPIVersion: string;
  readonly objects: readonly KubeObject[];
} {
  let body: ConversionReview | null;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (body?.kind !== "ConversionReview" || body.apiVersion !== "apiextensions.k8s.io/v1")
    throw badRequest("the body must be a ConversionReview of apiextensions.k8s.io/v1");
  const { uid, desiredAPIVersion, objects } = body.request ?? {};
  if (typeof uid !== "string" || typeof desiredAPIVersion !== "string" || !Array.isArray(objects))
    throw badRequest("the ConversionReview needs request.uid, request.desiredAPIVersion and request.objects");
  return { uid, desiredAPIVersion, objects };
}
