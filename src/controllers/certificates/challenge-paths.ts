import type { HTTP01Challenge, HTTPIngressPath } from "../../api/networking-internal/types.gen.ts";

/**
 * Paths of a host by which an issuer of certificates finds out whose it is. The host goes on as it is: what answers is a
 * core Service, no Revision, and the router takes a path that names a host for one of those.
 */
export const challengePaths = (challenges: readonly HTTP01Challenge[], host: string): readonly HTTPIngressPath[] =>
  challenges.flatMap(({ url, serviceName, serviceNamespace, servicePort }) => {
    const asked = url === undefined ? null : URL.parse(url);
    if (asked?.hostname !== host || !serviceName || !serviceNamespace) return [];
    const port = servicePort === undefined ? {} : { servicePort };
    const splits = [{ serviceName, serviceNamespace, ...port, percent: 100 }];
    return [{ path: asked.pathname, rewriteHost: host, splits }];
  });
