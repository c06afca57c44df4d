/** The keys with which integrations reach a cloud: entries of a Secret, as upstream names them. */
import type { Auth } from "../../api/sources/types-v1alpha1.gen.ts";
import type { SecretRef } from "./source-secrets.ts";

/** Where the values go in a spec with `aws`. */
export function awsSecretRefs(auth: Auth | undefined): readonly SecretRef[] {
  const name = auth?.secret?.ref?.name ?? "";
  return [
    { path: ["aws", "credentials", "accessKey"], name, key: auth?.accessKey || "aws.accessKey" },
    { path: ["aws", "credentials", "secretKey"], name, key: auth?.secretKey || "aws.secretKey" },
  ];
}

export const needsSecret =
  "credentials of a ServiceAccount are not served here: name a Secret in spec.aws.auth.secret.ref.name";
