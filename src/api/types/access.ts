/* Who may do what. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

export type Role = "viewer" | "editor" | "admin";

export interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
}

/** Shown once. */
export interface NewTokenView extends TokenView {
  readonly token: string;
}

export interface WhoAmIView {
  readonly name: string;
  readonly role: Role;
}
