/** Kept by scripts/gen-deploy.ts: one more whenever the objects of an installation, or the fields of its kinds, change. */
export const bundleRevision = 10;

/** Of what that revision counts. */
export const bundleDigest = "beae5e3101c8989f";
