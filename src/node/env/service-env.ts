import type { Service } from "../../api/core/types.gen.ts";

/**
 * The variables that tell a pod where the services of its namespace are, in the form Docker links had. Headless
 * services have none.
 */
export function serviceEnv(services: readonly Service[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const service of services) {
    const ip = service.spec?.clusterIP;
    const ports = service.spec?.ports ?? [];
    const first = ports[0];
    if (ip === undefined || ip === "" || ip === "None" || !first) continue;
    const name = envName(service.metadata.name ?? "");
    env[`${name}_SERVICE_HOST`] = ip;
    env[`${name}_SERVICE_PORT`] = String(first.port);
    for (const port of ports) {
      if (port.name) env[`${name}_SERVICE_PORT_${envName(port.name)}`] = String(port.port);
    }
    for (const port of ports) {
      const protocol = (port.protocol ?? "TCP").toUpperCase();
      const url = `${protocol.toLowerCase()}://${ip}:${port.port}`;
      if (port === first) env[`${name}_PORT`] = url;
      const prefix = `${name}_PORT_${port.port}_${protocol}`;
      env[prefix] = url;
      env[`${prefix}_PROTO`] = protocol.toLowerCase();
      env[`${prefix}_PORT`] = String(port.port);
      env[`${prefix}_ADDR`] = ip;
    }
  }
  return env;
}

const envName = (text: string): string => text.toUpperCase().replaceAll("-", "_");
