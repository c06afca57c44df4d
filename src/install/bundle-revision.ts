/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 1;

/** Of what that revision counts. */
export const bundleDigest = "066fbc01ee1ef9ca";
