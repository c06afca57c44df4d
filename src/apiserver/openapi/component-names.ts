/** The names under which Kubernetes publishes types in OpenAPI documents: Go import paths turned around. */
import type { Kind } from "../../api/meta/kind.ts";

const wellKnown: Readonly<Record<string, string>> = {
  Time: "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
  MicroTime: "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
  FieldsV1: "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
  Quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  IntOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  RawExtension: "io.k8s.apimachinery.pkg.runtime.RawExtension",
};

const packages: readonly (readonly [prefix: string, published: string])[] = [
  ["meta.", "io.k8s.apimachinery.pkg.apis.meta.v1."],
  ["apiextensions.", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions."],
  ["serving.", "dev.knative.serving."],
  ["autoscaling.internal.", "dev.knative.internal.autoscaling."],
  ["networking.internal.", "dev.knative.internal.networking."],
  ["", "io.k8s.api."],
];

/** `core.v1.Pod` → `io.k8s.api.core.v1.Pod`. */
export function componentName(message: string): string {
  const known = wellKnown[message];
  if (known) return known;
  const [prefix = "", published = ""] = packages.find(([start]) => message.startsWith(start)) ?? [];
  return published + message.slice(prefix.length);
}

/** A kind without field tables: `example.com/v1` Widget → `com.example.v1.Widget`. */
export function kindComponentName({ group, version, kind }: Pick<Kind, "group" | "version" | "kind">): string {
  return [...group.split(".").toReversed(), version, kind].join(".");
}
