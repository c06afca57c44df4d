import type { Identity } from "./identity.ts";

/** A kubeconfig for kubectl and every other client, JSON being YAML; to be written with mode 0600. */
export function kubeconfigText(server: string, identity: Identity): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "ebb", cluster: { server, "certificate-authority-data": base64(identity.ca.certificate) } }],
    users: [
      {
        name: "ebb-admin",
        user: {
          "client-certificate-data": base64(identity.admin.certificate),
          "client-key-data": base64(identity.admin.key),
        },
      },
    ],
    contexts: [{ name: "ebb", context: { cluster: "ebb", user: "ebb-admin", namespace: "default" } }],
    "current-context": "ebb",
    preferences: {},
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
