import type { Container, PodSpec, SecurityContext } from "../../api/core/types.gen.ts";
import { expand } from "../env/expand.ts";
import { quantity } from "../env/quantity.ts";
import type { ContainerStart, Limits, Mount, OutputSink, PodNetwork } from "../runtime.ts";
import { servingPort } from "./serving.ts";

export interface StartFacts {
  readonly id: string;
  readonly title: string;
  readonly env: Readonly<Record<string, string>>;
  readonly serving: boolean;
  readonly mayServe?: boolean;
  readonly network: PodNetwork | undefined;
  readonly mounts: readonly Mount[];
  readonly dir: string;
  readonly output: OutputSink;
}

/** A container of a spec as its runtime is asked to start it: `$(NAME)` in command and args is expanded. */
export function makeContainerStart(spec: PodSpec, container: Container, facts: StartFacts): ContainerStart {
  const words = (list: readonly string[] | undefined): readonly string[] | undefined =>
    list?.map((word) => expand(word, (name) => facts.env[name]));
  const command = words(container.command);
  const args = words(container.args);
  const { network, ...rest } = facts;
  const port = facts.serving ? servingPort(container)?.containerPort : undefined;
  return {
    ...rest,
    ...(network ? { network } : {}),
    ...(port === undefined ? {} : { port }),
    image: container.image ?? "",
    ...(command ? { command } : {}),
    ...(args ? { args } : {}),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    limits: limitsOf(container),
    security: securityOf(spec, container),
    stdin: container.stdin ?? false,
  };
}

export function limitsOf(container: Container): Limits {
  const cpu = quantity(container.resources?.limits?.["cpu"]);
  const memory = quantity(container.resources?.limits?.["memory"]);
  return {
    ...(cpu === undefined ? {} : { cpuMillis: Math.ceil(cpu * 1000) }),
    ...(memory === undefined ? {} : { memoryBytes: Math.floor(memory) }),
  };
}

/** The container's own settings win over the pod's. */
function securityOf(spec: PodSpec, container: Container): SecurityContext {
  const { runAsUser, runAsGroup, runAsNonRoot } = spec.securityContext ?? {};
  return {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    ...(runAsNonRoot === undefined ? {} : { runAsNonRoot }),
    ...container.securityContext,
  };
}
