import { describe, expect, test } from "vitest";
import type { WriteContext } from "../meta/definition.ts";
import type { Mutable } from "../meta/object.ts";
import { podDefinition } from "./pod.ts";
import { applyServiceAccount, tolerateNodeProblems } from "./pod-admission.ts";
import type { Pod, PodSpec, ServiceAccount } from "./types.gen.ts";

const podOf = (spec: Partial<PodSpec> = {}): Mutable<Pod> =>
  structuredClone({ metadata: { name: "p" }, spec: { containers: [{ name: "c" }], ...spec } }) as Mutable<Pod>;
const account: ServiceAccount = { metadata: { name: "default" }, imagePullSecrets: [{ name: "pull" }] };
const path = "/var/run/secrets/kubernetes.io/serviceaccount";

describe("service accounts", () => {
  test("every container gets the token, and the pod the account's pull secrets", () => {
    const pod = podOf({ initContainers: [{ name: "i" }] });
    applyServiceAccount(pod, account, "abcde");
    const mount = { name: "kube-api-access-abcde", readOnly: true, mountPath: path };
    expect(pod.spec.imagePullSecrets).toEqual([{ name: "pull" }]);
    expect(pod.spec.containers[0]?.volumeMounts).toEqual([mount]);
    expect(pod.spec.initContainers?.[0]?.volumeMounts).toEqual([mount]);
    expect(pod.spec.volumes).toHaveLength(1);
    expect(pod.spec.volumes?.[0]?.projected?.sources?.[0]).toEqual({
      serviceAccountToken: { expirationSeconds: 3607, path: "token" },
    });
  });

  test("a second time changes nothing, and neither does a mount of one's own", () => {
    const pod = podOf();
    applyServiceAccount(pod, account, "abcde");
    const once = structuredClone(pod);
    applyServiceAccount(pod, account, "fghij");
    expect(pod).toEqual(once);
    const own = podOf({ containers: [{ name: "c", volumeMounts: [{ name: "v", mountPath: path }] }] });
    applyServiceAccount(own, account, "abcde");
    expect(own.spec.volumes).toBeUndefined();
  });

  test("the pod's word counts over the account's", () => {
    const refusing = { ...account, automountServiceAccountToken: false };
    const [quiet, loud, off] = [
      podOf(),
      podOf({ automountServiceAccountToken: true }),
      podOf({ automountServiceAccountToken: false }),
    ];
    applyServiceAccount(quiet, refusing, "a");
    applyServiceAccount(loud, refusing, "a");
    applyServiceAccount(off, account, "a");
    expect([quiet, loud, off].map((pod) => pod.spec.volumes?.length ?? 0)).toEqual([0, 1, 0]);
  });
});

test("tolerations of node problems are added where the pod has none", () => {
  const pod = podOf({
    tolerations: [
      { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 },
    ],
  });
  tolerateNodeProblems(pod);
  expect(pod.spec.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds])).toEqual([
    ["node.kubernetes.io/not-ready", 5],
    ["node.kubernetes.io/unreachable", 300],
  ]);
  const all = podOf({ tolerations: [{ operator: "Exists" }] });
  tolerateNodeProblems(all);
  expect(all.spec.tolerations).toHaveLength(1);
});

test("a replace keeps the priority and the tolerations that its manifest lacks", () => {
  const old = podOf({ priority: 7, preemptionPolicy: "Never" });
  tolerateNodeProblems(old);
  const replaced = podOf();
  podDefinition.prepare?.(replaced, old, { operation: "update" } as WriteContext);
  expect(replaced.spec).toEqual(old.spec);
});
