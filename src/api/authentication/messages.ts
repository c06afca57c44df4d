/** Field tables of authentication/v1; the notation is explained in ../meta/message.ts. */
export const messages = `
package authentication.v1

BoundObjectReference
  1 kind string
  2 apiVersion string
  3 name string
  4 uid string

ExtraValue
  1 items []string

SelfSubjectReview -- Tells who you are.
  1 metadata meta.ObjectMeta~
  2 status SelfSubjectReviewStatus -- Who you are.

SelfSubjectReviewStatus
  1 userInfo UserInfo -- Who you are.

TokenRequest -- Asks for a token of a ServiceAccount.
  1 metadata meta.ObjectMeta~
  2 spec TokenRequestSpec! -- What the token is to be good for.
  3 status TokenRequestStatus -- The token.

TokenRequestSpec
  1 audiences []string! -- Who the token is meant for; the API server if empty.
  3 boundObjectRef BoundObjectReference -- A Pod, Secret or Node; the token ends with it.
  4 expirationSeconds int64? -- Seconds it is to be good for, at least 600. 3600 if not given.

TokenRequestStatus
  1 token string -- The token.
  2 expirationTimestamp Time -- When it expires.

TokenReview -- Asks whose token this is.
  1 metadata meta.ObjectMeta~
  2 spec TokenReviewSpec! -- The token.
  3 status TokenReviewStatus -- Whose it is.

TokenReviewSpec
  1 token string -- The token.
  2 audiences []string -- Who it should be meant for.

TokenReviewStatus
  1 authenticated bool -- Whether the token is good.
  2 user UserInfo -- Whose it is.
  3 error string -- Why it could not be looked at.
  4 audiences []string -- For which of the audiences asked about it is meant.

UserInfo
  1 username string -- Name of the user.
  2 uid string -- Id of the user.
  3 groups []string -- Groups the user is in.
  4 extra map<string,ExtraValue> -- Further facts about the user.
`;
