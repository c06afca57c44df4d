/**
 * Addresses for pods. On Linux every address of 127/8 is this machine without anyone having configured it, so each
 * pod gets its own; elsewhere all pods share 127.0.0.1.
 */
export interface PodIps {
  /** The preferred one when it is free: a pod keeps its address over restarts of the agent. */
  take(preferred?: string): string;
  release(ip: string): void;
}

/** 127.64.0.0 to 127.127.255.255: away from what people and resolvers use (127.0.0.x, 127.0.1.1). */
const size = 2 ** 22;
const ours = /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$/;

export function createPodIps(platform: NodeJS.Platform, random: () => number): PodIps {
  const used = new Set<string>();
  let next = Math.floor(random() * size);
  return {
    take(preferred) {
      if (platform !== "linux") return "127.0.0.1";
      if (preferred !== undefined && ours.test(preferred) && !used.has(preferred)) {
        used.add(preferred);
        return preferred;
      }
      for (;;) {
        const n = next++ % size;
        const low = n & 0xff;
        const ip = `127.${64 + (n >> 16)}.${(n >> 8) & 0xff}.${low}`;
        if (low === 0 || low === 255 || used.has(ip)) continue;
        used.add(ip);
        return ip;
      }
    },
    release: (ip) => void used.delete(ip),
  };
}
