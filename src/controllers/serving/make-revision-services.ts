/** The core Services of a Revision: its own name, and the instances behind it (pkg/reconciler/serverlessservice). */
import type { Service } from "../../api/core/types.gen.ts";
import type { Draft } from "../../api/meta/object.ts";
import { controllerReference } from "../../api/meta/owner.ts";
import { RevisionKind } from "../../api/serving/kinds.ts";
import type { Revision } from "../../api/serving/types.gen.ts";
import { protocolOf, userPortName } from "./make-deployment.ts";
import { childLabels, privateServiceNameOf, selectorOf } from "./revision-metadata.ts";

/** Without a selector: the name is the Revision's, its requests go by the router. */
export function makePublicService(revision: Revision): Draft<Service> {
  return makeService(revision, revision.metadata.name, "Public", undefined);
}

/** Its EndpointSlices list the Revision's ready pods. */
export function makePrivateService(revision: Revision): Draft<Service> {
  return makeService(revision, privateServiceNameOf(revision), "Private", selectorOf(revision));
}

function makeService(
  revision: Revision,
  name: string,
  serviceType: "Public" | "Private",
  selector: Readonly<Record<string, string>> | undefined,
): Draft<Service> {
  const { namespace } = revision.metadata;
  const portName = protocolOf(revision) === "h2c" ? "http2" : "http";
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...childLabels(revision), "networking.internal.knative.dev/serviceType": serviceType },
      ownerReferences: [controllerReference(RevisionKind, revision)],
    },
    spec: {
      type: "ClusterIP",
      ports: [{ name: portName, protocol: "TCP", port: 80, targetPort: userPortName }],
      ...(selector === undefined ? {} : { selector }),
    },
  };
}
