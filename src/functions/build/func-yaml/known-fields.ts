import type { Path, YamlReader } from "./yaml-reader.ts";

/** `value`: any leaf; `any`: whatever is below is the person's; a list holds items of one shape. */
type Shape = "value" | "any" | { readonly [field: string]: Shape } | readonly [Shape];

const value = "value";
const envs: Shape = [{ name: value, value }];
const labels: Shape = [{ key: value, value }];
const amounts: Shape = { cpu: value, memory: value };
const kpa = { metric: value, target: value, utilization: value } as const;
const options: Shape = {
  scale: { min: value, max: value, ...kpa, kpa },
  resources: { requests: amounts, limits: { ...amounts, concurrency: value } },
};
const volumes: Shape = [
  {
    secret: value,
    configMap: value,
    persistentVolumeClaim: { claimName: value, readOnly: value },
    emptyDir: { medium: value, sizeLimit: value },
    path: value,
  },
];
const git: Shape = { url: value, revision: value, contextDir: value };
const health: Shape = { liveness: value, readiness: value };

/** func.yaml up to specVersion 0.36.0 (sheet functions.md §2.1), where older ones had it, and ebb's own words. */
const known: Shape = {
  specVersion: value,
  created: value,
  name: value,
  runtime: value,
  invoke: value,
  registry: value,
  registryInsecure: value,
  image: value,
  imageDigest: value,
  template: value,
  namespace: value,
  domain: value,
  deployer: value,
  build: {
    git,
    builder: value,
    builderImages: "any",
    buildpacks: "any",
    buildEnvs: envs,
    baseImage: value,
    image: value,
    pvcSize: value,
    remoteStorageClass: value,
    volumes: [{ hostPath: value, path: value }],
  },
  run: { envs, volumes, startTimeout: value, kafka: "any" },
  deploy: {
    namespace: value,
    image: value,
    annotations: "any",
    labels,
    serviceAccountName: value,
    imagePullSecret: value,
    deployer: value,
    managementDisabled: value,
    healthEndpoints: health,
    subscriptions: [{ source: value, filters: "any" }],
    options,
    remote: value,
  },
  // Before specVersion 0.34.0 these stood at the top.
  envs,
  volumes,
  annotations: "any",
  labels,
  options,
  healthEndpoints: health,
  git,
  builder: value,
  builders: "any",
  buildpacks: "any",
  buildEnvs: envs,
  // ebb's own: what flags of `ebb deploy` say, kept with the source.
  entry: value,
  model: value,
  target: value,
  signature: value,
  handler: value,
};

/** Fields nobody knows, as places. */
export function unknownFields(yaml: YamlReader): readonly string[] {
  const found: string[] = [];
  const look = (path: Path, shape: Shape): void => {
    if (typeof shape === "string" || !yaml.has(path)) return;
    if (isList(shape)) return yaml.list(path).forEach((_, i) => look([...path, i], shape[0]));
    for (const key of Object.keys(yaml.record(path))) {
      const below = shape[key];
      if (below === undefined) found.push(yaml.place([...path, key]));
      else look([...path, key], below);
    }
  };
  look([], known);
  return found;
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);
