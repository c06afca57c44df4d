/** Who may send to a stream or a sink, decided by controllers from EventPolicies and enforced where events come in. */
import type { FilterSpec } from "./engine.ts";

/** Only while the feature `authentication-oidc` is on: without a rule everybody may send. */
export interface AccessRule {
  /** Tokens must be made for it. */
  readonly audience: string;
  /** The object's own, for `allow-same-namespace`. */
  readonly namespace: string;
  /** Who may send whatever the policies say: `deny-all` where one applies to the object. */
  readonly mode: "allow-all" | "deny-all" | "allow-same-namespace";
  /** Else one of them must allow the sender and the event. */
  readonly policies: readonly AccessPolicy[];
}

export interface AccessPolicy {
  /** Names of users; a `*` at the end stands for any rest. */
  readonly subjects: readonly string[];
  /** All must hold of the event. */
  readonly filters: readonly FilterSpec[];
}

/** As whom something is sent: a ServiceAccount. */
export interface SenderIdentity {
  readonly namespace: string;
  readonly name: string;
}

/** Whether a policy's subjects have that user among them (eventing pkg/auth SubjectContained). */
export const hasSubject = (subjects: readonly string[], user: string): boolean =>
  subjects.some((subject) =>
    subject.endsWith("*") ? user.startsWith(subject.slice(0, -1)) : subject.toLowerCase() === user.toLowerCase(),
  );

/** Whether the sender may send without a policy. */
export function defaultAllows({ mode, namespace }: AccessRule, user: string): boolean {
  switch (mode) {
    case "allow-all":
      return true;
    case "deny-all":
      return false;
    case "allow-same-namespace":
      return user.startsWith(`system:serviceaccount:${namespace}:`);
    default:
      return mode satisfies never;
  }
}
