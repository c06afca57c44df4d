// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface CertificateSigningRequest extends TypeMeta {
  readonly metadata: ObjectMeta;
  readonly spec?: CertificateSigningRequestSpec;
  readonly status?: CertificateSigningRequestStatus;
}

export interface CertificateSigningRequestCondition {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastUpdateTime?: string;
  readonly lastTransitionTime?: string;
  readonly status?: string;
}

export interface CertificateSigningRequestSpec {
  readonly request?: string;
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly usages?: readonly string[];
  readonly extra?: Readonly<Record<string, ExtraValue>>;
  readonly signerName?: string;
  readonly expirationSeconds?: number;
}

export interface CertificateSigningRequestStatus {
  readonly conditions?: readonly CertificateSigningRequestCondition[];
  readonly certificate?: string;
}

export type ExtraValue = readonly string[];
