/* A route's path names what is variable by `:name`, a whole step; behind it an action may stand, `:name:hold`. */

const variable = /^:([A-Za-z]+)(?::([a-z]+))?$/;

const stepsWith = (path: string, change: (name: string, action: string | undefined) => string): string =>
  path
    .split("/")
    .map((step) => step.replace(variable, (_, name: string, action?: string) => change(name, action)))
    .join("/");

/** As the router reads it. */
export const routerPath = (path: string): string =>
  stepsWith(path, (name, action) => (action === undefined ? `:${name}` : `:${name}(^[^:/]+)::${action}`));

/** As OpenAPI reads it: `/registries/{name}:hold`. */
export const templatePath = (path: string): string =>
  stepsWith(path, (name, action) => (action === undefined ? `{${name}}` : `{${name}}:${action}`));

/** Can a step of a request's path be this one of a route's? */
export function matchesStep(step: string, given: string | undefined): boolean {
  const [isVariable, , action] = variable.exec(step) ?? [];
  if (isVariable === undefined) return step === given;
  return action === undefined || given?.endsWith(`:${action}`) === true;
}
