import type { DocumentHandler } from "./documents.ts";
import { send } from "./respond.ts";

/** `/metrics`, for whoever may get that path (ClusterRole system:monitoring), as kube-apiserver serves it. */
export function metricsHandler(metrics: () => string): DocumentHandler {
  return (path, _request, response) => {
    if (path !== "/metrics") return false;
    send(response, 200, metrics(), "text/plain; version=0.0.4; charset=utf-8");
    return true;
  };
}
