/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 6;

/** Of what that revision counts. */
export const bundleDigest = "1d24c42693ae991e";
