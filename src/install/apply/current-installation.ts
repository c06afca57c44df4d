import type { Deployment } from "../../api/apps/types.gen.ts";
import { DeploymentKind } from "../../api/apps/kinds.ts";
import { ServiceKind } from "../../api/core/kinds.ts";
import { isNotFound } from "../../api/meta/errors.ts";
import type { Client } from "../../client/client.ts";
import { serviceTypes, type BundleOptions } from "../bundle-options.ts";
import { nameOf, systemNamespace } from "../names.ts";

export type CurrentInstallation = Pick<
  BundleOptions,
  "image" | "replicas" | "serviceType" | "imagePullSecrets" | "insecureRegistries" | "warmPythonImage"
>;

/** What is chosen in the installation there is; undefined where there is none. */
export async function currentInstallation(client: Client): Promise<CurrentInstallation | undefined> {
  const [controller, router, service] = await Promise.all([
    orNothing(client.get(DeploymentKind, { namespace: systemNamespace, name: nameOf("controller") })),
    orNothing(client.get(DeploymentKind, { namespace: systemNamespace, name: nameOf("router") })),
    orNothing(client.get(ServiceKind, { namespace: systemNamespace, name: nameOf("router") })),
  ]);
  if (!controller || !router) return undefined;
  const { containers, imagePullSecrets = [] } = router.spec.template.spec;
  // None at all is how somebody stopped it, and no number to keep.
  const replicasOf = ({ spec }: Deployment): number => Math.max(1, spec.replicas ?? 1);
  const args = controller.spec.template.spec.containers[0]?.args ?? [];
  const [warmPythonImage] = valuesOf(args, "--warm-python-image");
  return {
    image: containers[0]?.image ?? "",
    imagePullSecrets: imagePullSecrets.flatMap(({ name }) => (name === undefined ? [] : [name])),
    replicas: { controller: replicasOf(controller), router: replicasOf(router) },
    insecureRegistries: valuesOf(args, "--insecure-registry"),
    ...(warmPythonImage === undefined ? {} : { warmPythonImage }),
    serviceType: serviceTypes.find((type) => type === service?.spec.type) ?? "LoadBalancer",
  };
}

async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Values of an option that may be given several times. */
const valuesOf = (words: readonly string[], option: string): readonly string[] =>
  words.filter((_, index) => words[index - 1] === option);
