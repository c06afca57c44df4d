/** The environment variables by which programs hear of a sink (eventing pkg/apis/sources/v1/sinkbinding_lifecycle.go). */
import type { Container, EnvVar, PodSpec } from "../../api/core/types.gen.ts";
import type { CloudEventOverrides } from "../../api/eventing/types-duck.gen.ts";

export interface Binding {
  /** As the program reaches it. */
  readonly url: string;
  readonly caCerts?: string;
  readonly overrides?: CloudEventOverrides;
}

const names: ReadonlySet<string> = new Set(["K_SINK", "K_CE_OVERRIDES", "K_CA_CERTS"]);

type WithContainers = Partial<Pick<PodSpec, "containers" | "initContainers">>;

/** The pod's containers with the variables set, or without them when there is no binding. */
export function bindSink<T extends WithContainers>(pod: T, binding: Binding | undefined): T {
  const env = binding ? variables(binding) : [];
  const bind = (container: Container): Container => {
    const rest = (container.env ?? []).filter(({ name }) => !names.has(name));
    const { env: _env, ...without } = container;
    const all = [...rest, ...env];
    return all.length > 0 ? { ...without, env: all } : without;
  };
  return {
    ...pod,
    ...(pod.containers ? { containers: pod.containers.map(bind) } : {}),
    ...(pod.initContainers ? { initContainers: pod.initContainers.map(bind) } : {}),
  };
}

function variables({ url, caCerts, overrides }: Binding): readonly EnvVar[] {
  return [
    { name: "K_SINK", value: url },
    { name: "K_CE_OVERRIDES", value: overrides ? JSON.stringify({ extensions: overrides.extensions ?? {} }) : "" },
    ...(caCerts ? [{ name: "K_CA_CERTS", value: caCerts }] : []),
  ];
}
