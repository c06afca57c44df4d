// Written by scripts/gen-api-types.ts from the field tables beside it; do not edit.
import type { TypeMeta } from "../meta/type-meta.ts";
import type { ObjectMeta } from "../meta/types.gen.ts";

export interface BoundObjectReference {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

export type ExtraValue = readonly string[];

export interface SelfSubjectReview extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** Who you are. */
  readonly status?: SelfSubjectReviewStatus;
}

export interface SelfSubjectReviewStatus {
  /** Who you are. */
  readonly userInfo?: UserInfo;
}

export interface TokenRequest extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** What the token is to be good for. */
  readonly spec: TokenRequestSpec;
  /** The token. */
  readonly status?: TokenRequestStatus;
}

export interface TokenRequestSpec {
  /** Who the token is meant for; the API server if empty. */
  readonly audiences: readonly string[];
  /** A Pod, Secret or Node; the token ends with it. */
  readonly boundObjectRef?: BoundObjectReference;
  /** Seconds it is to be good for, at least 600. 3600 if not given. */
  readonly expirationSeconds?: number;
}

export interface TokenRequestStatus {
  /** The token. */
  readonly token?: string;
  /** When it expires. */
  readonly expirationTimestamp?: string;
}

export interface TokenReview extends TypeMeta {
  readonly metadata: ObjectMeta;
  /** The token. */
  readonly spec: TokenReviewSpec;
  /** Whose it is. */
  readonly status?: TokenReviewStatus;
}

export interface TokenReviewSpec {
  /** The token. */
  readonly token?: string;
  /** Who it should be meant for. */
  readonly audiences?: readonly string[];
}

export interface TokenReviewStatus {
  /** Whether the token is good. */
  readonly authenticated?: boolean;
  /** Whose it is. */
  readonly user?: UserInfo;
  /** Why it could not be looked at. */
  readonly error?: string;
  /** For which of the audiences asked about it is meant. */
  readonly audiences?: readonly string[];
}

export interface UserInfo {
  /** Name of the user. */
  readonly username?: string;
  /** Id of the user. */
  readonly uid?: string;
  /** Groups the user is in. */
  readonly groups?: readonly string[];
  /** Further facts about the user. */
  readonly extra?: Readonly<Record<string, ExtraValue>>;
}
