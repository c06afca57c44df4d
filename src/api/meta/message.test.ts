import { describe, expect, test } from "vitest";
import { builtinDefinitions } from "../definitions.ts";
import { messagesByName, schemaOf } from "../schemas.ts";
import { parseMessages } from "./message.ts";

test("a field line carries number, type, presence, rules, values and description", () => {
  const [message] = parseMessages(`
package core.v1

Thing atomic -- A thing -- really.
  1 ports []Port! merge=port map=port,protocol=TCP  -- Ports of it.
  2 mode string? enum=On|Off -- Its mode.
  3 labels map<string,string> atomicmap
  4 rest Rest inline
`);
  expect(message).toMatchObject({
    name: "core.v1.Thing",
    atomic: true,
    open: false,
    description: "A thing -- really.",
    fields: [
      {
        no: 1,
        name: "ports",
        type: "core.v1.Port",
        shape: "list",
        presence: "required",
        patchMergeKey: "port",
        patchStrategy: "merge",
        listMapKeys: ["port", "protocol"],
        listMapKeyDefaults: { protocol: "TCP" },
        description: "Ports of it.",
      },
      { no: 2, name: "mode", pointer: true, values: ["On", "Off"], description: "Its mode." },
      { no: 3, shape: "map", type: "string", mapAtomic: true },
      { no: 4, inline: true },
    ],
  });
});

test("a line that is not in the notation is named", () => {
  expect(() => parseMessages("package p\n\nThing\n  one name string")).toThrow('not a field line: "one name string"');
  expect(() => parseMessages("package p\n\nThing\n  1 name string often")).toThrow('unknown word "often"');
});

describe("kubectl explain teaches", () => {
  const undescribed = (name: string): string[] =>
    (messagesByName.get(name)?.fields ?? [])
      .filter((field) => field.description === undefined && !field.inline)
      .map((field) => `${name}.${field.name}`);

  const messages = builtinDefinitions.map(({ message }) => message).filter((message) => message !== undefined);

  test.each(messages)("%s says what it is and what its fields are", (name) => {
    expect(messagesByName.get(name)?.description ?? "").not.toBe("");
    const top = undescribed(name).filter((field) => !/deprecated/.test(field));
    const parts = (messagesByName.get(name)?.fields ?? [])
      .filter(({ name: part }) => part === "spec" || part === "status")
      .flatMap(({ type }) => undescribed(type));
    expect([...top, ...parts.filter((field) => !known.includes(field))]).toEqual([]);
  });

  test.each(["core.v1.Container", "core.v1.Probe", "core.v1.VolumeMount", "core.v1.Volume", "meta.ObjectMeta"])(
    "%s is described field by field",
    (name) => {
      expect(undescribed(name)).toEqual([]);
    },
  );

  test("a field keeps its own words where its type has some, and values become an enum", () => {
    const pod = schemaOf("core.v1.Pod").properties ?? {};
    expect(pod["spec"]?.description).toMatch(/^What should run/);
    expect(schemaOf("core.v1.PodSpec").description).toMatch(/^What a pod runs/);
    expect(schemaOf("core.v1.PodSpec").properties?.["restartPolicy"]?.enum).toEqual(["Always", "OnFailure", "Never"]);
  });
});

/** Fields of parts of Kubernetes that are not served here. */
const known = [
  "core.v1.PodSpec.schedulingGroup",
  "core.v1.PodStatus.resourceClaimStatuses",
  "core.v1.PodStatus.extendedResourceClaimStatus",
  "core.v1.PodStatus.allocatedResources",
  "core.v1.PodStatus.resources",
  "core.v1.PodStatus.nodeAllocatableResourceClaimStatuses",
  "core.v1.NodeSpec.externalID",
  "core.v1.NodeSpec.configSource",
  "core.v1.NodeStatus.phase",
  "core.v1.NodeStatus.volumesInUse",
  "core.v1.NodeStatus.volumesAttached",
  "core.v1.NodeStatus.config",
  "core.v1.NodeStatus.runtimeHandlers",
  "core.v1.NodeStatus.features",
  "core.v1.NodeStatus.declaredFeatures",
  "autoscaling.v1.HorizontalPodAutoscalerStatus.observedGeneration",
  "autoscaling.v1.HorizontalPodAutoscalerStatus.lastScaleTime",
];
