/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 2;

/** Of what that revision counts. */
export const bundleDigest = "910f0d28b88211ec";
