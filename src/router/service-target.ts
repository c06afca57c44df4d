const suffix = ":service";

/** What stands for a core Service where a Revision's key would: no name of an object has a colon. */
export const serviceTarget = (namespace: string, name: string): string => `${namespace}/${name}${suffix}`;

export const isServiceTarget = (key: string): boolean => key.endsWith(suffix);
