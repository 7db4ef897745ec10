import { type Decoder, list as listOf, schemaOf } from "../base/decode.ts";
import { reply, required } from "../base/decode-object.ts";
import { jsonBody } from "./json-body.ts";
import { json } from "./media-types.ts";
import { defaultPageLimit, pageOf } from "./paging.ts";
import type { RegistrationOutcome, RegistrationsPort } from "./ports.ts";
import type { ProblemCode } from "./problem.ts";
import { decodeQuery, exactly, flag, pageParameters, parameterDocs } from "./query.ts";
import { list } from "./read-routes.ts";
import { type Answer, type ApiRequest, ok, problem, problems, type Route } from "./route.ts";
import type { AnswerDoc, BodyDoc, ParameterDoc } from "./route-doc.ts";
import { pageOf as pageShape } from "./shapes/pages.ts";
import { heartbeatView, registeredInstanceView, registeredServiceView, serviceView } from "./shapes/services.ts";
import type { Page } from "./types/pages.ts";
import type { HeartbeatView, RegisteredInstanceView, RegisteredServiceView, ServiceView } from "./types/services.ts";

const host: ParameterDoc = {
  in: "path",
  name: "host",
  required: true,
  summary: "The service's host name.",
  schema: { type: "string", minLength: 1, maxLength: 253 },
  example: "reviews.shop.svc.cluster.local",
};

const id: ParameterDoc = {
  in: "path",
  name: "id",
  required: true,
  summary: "The instance's id, its own within the service.",
  schema: { type: "string", minLength: 1, maxLength: 253 },
  example: "reviews-1",
};

const cascadeParameter = { cascade: flag("Its instances too; without it a service that has some is kept.") };

const instanceList: Decoder<{ readonly items: readonly RegisteredInstanceView[] }> = reply({
  items: required(listOf(registeredInstanceView)),
});

const heartbeatList: Decoder<{ readonly items: readonly HeartbeatView[] }> = reply({
  items: required(listOf(heartbeatView)),
});

const servicePath = "/api/v1/services/:host";
const instancesPath = `${servicePath}/instances` as const;
const instancePath = `${instancesPath}/:id` as const;

const faults: readonly ProblemCode[] = ["api/not-found", "api/conflict", "api/invalid-syntax", "api/invalid"];
const storeFaults: readonly ProblemCode[] = ["store/full", "store/read-only", "store/busy", "store/failed"];

const bodyOf = (decoder: Decoder<unknown>, isRequired = true): BodyDoc => ({
  required: isRequired,
  types: { [json]: schemaOf(decoder) },
});

/** Services and instances that register themselves. */
export function registrationRoutes(formats: RegistrationsPort["formats"]): readonly Route[] {
  return [...reads, ...serviceWrites(formats), ...instanceWrites(formats)];
}

const reads: readonly Route[] = [
  list<RegisteredServiceView>({
    path: "/api/v1/registrations",
    operation: "listRegistrations",
    summary: "The services that registered themselves here.",
    shape: registeredServiceView,
    items: (ports) => ports.registrations.services(),
    key: (service) => service.host,
    filters: { namespace: [exactly("Only those of this namespace."), (service) => service.namespace] },
  }),
  {
    method: "GET",
    path: servicePath,
    access: "read",
    doc: {
      operation: "getService",
      summary: "One service and its instances, whatever registry it is from.",
      parameters: [host],
      answers: { 200: { summary: "The service.", types: { [json]: schemaOf(serviceView) } } },
      problems: ["api/not-found"],
    },
    handler: ({ ports, params, query }) => {
      const decoded = decodeQuery(query, {});
      if (!decoded.ok) return decoded.answer;
      const service = ports.services().find((each) => each.host === params["host"]);
      return service === undefined ? noService(params["host"]) : ok<ServiceView>(service);
    },
  },
  {
    method: "GET",
    path: instancesPath,
    access: "read",
    doc: {
      operation: "listInstances",
      summary: "The instances that registered themselves for a service.",
      parameters: [host, ...parameterDocs(pageParameters)],
      answers: { 200: { summary: "A page of them.", types: { [json]: schemaOf(pageShape(registeredInstanceView)) } } },
      problems: ["api/not-found"],
    },
    handler: ({ ports, params, query }) => {
      const decoded = decodeQuery(query, pageParameters);
      if (!decoded.ok) return decoded.answer;
      const instances = ports.registrations.instances(params["host"] ?? "");
      if (instances === undefined) return noRegistration(params["host"]);
      const { limit = defaultPageLimit, continue: after } = decoded.value;
      return ok<Page<RegisteredInstanceView>>(
        pageOf(instances, (instance) => instance.id, { limit, ...(after && { after }) }),
      );
    },
  },
  {
    method: "GET",
    path: instancePath,
    access: "read",
    doc: {
      operation: "getInstance",
      summary: "One instance that registered itself.",
      parameters: [host, id],
      answers: { 200: { summary: "The instance.", types: { [json]: schemaOf(registeredInstanceView) } } },
      problems: ["api/not-found"],
    },
    handler: ({ ports, params, query }) => {
      const decoded = decodeQuery(query, {});
      if (!decoded.ok) return decoded.answer;
      const instances = ports.registrations.instances(params["host"] ?? "");
      if (instances === undefined) return noRegistration(params["host"]);
      const instance = instances.find((each) => each.id === params["id"]);
      return instance === undefined ? noInstance(params) : ok<RegisteredInstanceView>(instance);
    },
  },
];

const serviceAnswer = { [json]: schemaOf(registeredServiceView) };
const instanceAnswer = { [json]: schemaOf(registeredInstanceView) };

const unreadable: AnswerDoc = { summary: "It is gone; what it was could not be read." };

function serviceWrites(formats: RegistrationsPort["formats"]): readonly Route[] {
  return [
    {
      method: "PUT",
      path: servicePath,
      access: "register",
      doc: {
        operation: "putService",
        summary: "Registers a service, or changes it.",
        parameters: [host],
        body: bodyOf(formats.service),
        answers: {
          200: { summary: "It is registered.", types: serviceAnswer },
          201: { summary: "It is new.", types: serviceAnswer },
        },
        problems: [...faults, ...storeFaults],
      },
      handler: (request) =>
        withBody(request, undefined, (body, { registrations }, by) =>
          registrations.putService(request.params["host"] ?? "", body, by),
        ),
    },
    {
      method: "DELETE",
      path: servicePath,
      access: "register",
      doc: {
        operation: "deleteService",
        summary: "Takes a registered service away.",
        parameters: [host, ...parameterDocs(cascadeParameter)],
        answers: { 200: { summary: "As it last was.", types: serviceAnswer }, 204: unreadable },
        problems: ["api/not-found", "api/conflict", ...storeFaults],
      },
      handler: async (request) => {
        const decoded = decodeQuery(request.query, cascadeParameter);
        if (!decoded.ok) return decoded.answer;
        const { cascade = false } = decoded.value;
        const { ports, params, caller } = request;
        return answerOf(
          request,
          await ports.registrations.deleteService(params["host"] ?? "", { cascade }, caller.name),
        );
      },
    },
  ];
}

function instanceWrites(formats: RegistrationsPort["formats"]): readonly Route[] {
  return [
    {
      method: "PUT",
      path: instancesPath,
      access: "register",
      largeBody: true,
      doc: {
        operation: "putInstances",
        summary: "Registers many instances of a service together: all of them or none.",
        parameters: [host],
        body: bodyOf(formats.instances),
        answers: { 200: { summary: "Those that were sent.", types: { [json]: schemaOf(instanceList) } } },
        problems: [...faults, ...storeFaults],
      },
      handler: (request) =>
        withBody(request, undefined, async (body, { registrations }, by) => {
          const outcome = await registrations.putInstances(request.params["host"] ?? "", body, by);
          return outcome.kind === "done" ? { ...outcome, created: false, value: { items: outcome.value } } : outcome;
        }),
    },
    {
      method: "PUT",
      path: instancePath,
      access: "register",
      doc: {
        operation: "putInstance",
        summary: "Registers an instance, changes it, or renews its lease.",
        parameters: [host, id],
        body: bodyOf(formats.instance),
        answers: {
          200: { summary: "It is registered.", types: instanceAnswer },
          201: { summary: "It is new.", types: instanceAnswer },
        },
        problems: [...faults, ...storeFaults],
      },
      handler: (request) =>
        withBody(request, undefined, (body, { registrations }, by) =>
          registrations.putInstance(...placeOf(request), body, by),
        ),
    },
    {
      method: "DELETE",
      path: instancePath,
      access: "register",
      doc: {
        operation: "deleteInstance",
        summary: "Takes an instance away at once; to let its requests end, drain it.",
        parameters: [host, id],
        answers: { 200: { summary: "As it last was.", types: instanceAnswer }, 204: unreadable },
        problems: ["api/not-found", ...storeFaults],
      },
      handler: async (request) => {
        const decoded = decodeQuery(request.query, {});
        if (!decoded.ok) return decoded.answer;
        const { registrations } = request.ports;
        return answerOf(request, await registrations.deleteInstance(...placeOf(request), request.caller.name));
      },
    },
    {
      method: "POST",
      path: `${instancePath}/heartbeat`,
      access: "register",
      doc: {
        operation: "renewLease",
        summary: "A sign of life: the instance's lease begins anew.",
        parameters: [host, id],
        body: bodyOf(formats.heartbeat, false),
        answers: { 200: { summary: "The instance with its lease.", types: instanceAnswer } },
        problems: faults,
      },
      heartbeatOf: ({ host = "", id = "" }, { registrations }) =>
        registrations.isRegistered(host, id) ? `${host}/${id}` : undefined,
      handler: (request) =>
        withBody(request, {}, (body, { registrations }) => registrations.heartbeat(...placeOf(request), body), "quiet"),
    },
    {
      method: "POST",
      path: `${servicePath}/heartbeats`,
      access: "register",
      largeBody: true,
      doc: {
        operation: "renewLeases",
        summary: "Signs of life of many instances of a service; each is answered for itself.",
        description:
          "`live`: its lease begins anew. `not-found`: register it again. `stale`: a later generation of it is registered.",
        parameters: [host],
        body: bodyOf(formats.heartbeats),
        answers: { 200: { summary: "What became of each.", types: { [json]: schemaOf(heartbeatList) } } },
        problems: ["api/not-found", "api/invalid-syntax", "api/invalid"],
      },
      handler: (request) =>
        withBody(
          request,
          undefined,
          (body, { registrations }) => {
            const outcome = registrations.heartbeats(request.params["host"] ?? "", body);
            return outcome.kind === "done" ? { ...outcome, value: { items: outcome.value } } : outcome;
          },
          "quiet",
        ),
    },
    {
      method: "POST",
      path: `${instancePath}/drain`,
      access: "register",
      doc: {
        operation: "drainInstance",
        summary: "No new requests for the instance; after a while it is gone.",
        parameters: [host, id],
        body: bodyOf(formats.drain, false),
        answers: { 200: { summary: "The instance while it drains.", types: instanceAnswer } },
        problems: [...faults, ...storeFaults],
      },
      handler: (request) =>
        withBody(request, {}, (body, { registrations }, by) => registrations.drain(...placeOf(request), body, by)),
    },
  ];
}

const placeOf = ({ params }: ApiRequest) => [params["host"] ?? "", params["id"] ?? ""] as const;

type Outcome = RegistrationOutcome<object | undefined>;

async function withBody(
  request: ApiRequest,
  fallback: object | undefined,
  act: (body: unknown, ports: ApiRequest["ports"], by: string) => Outcome | Promise<Outcome>,
  logged: "logged" | "quiet" = "logged",
): Promise<Answer> {
  const decoded = decodeQuery(request.query, {});
  if (!decoded.ok) return decoded.answer;
  const body = jsonBody(request.body, fallback);
  if (!body.ok) return body.answer;
  return answerOf(request, await act(body.value, request.ports, request.caller.name), logged);
}

function answerOf(request: ApiRequest, outcome: Outcome, logged: "logged" | "quiet" = "logged"): Answer {
  const { params, caller, log, method } = request;
  if (outcome.kind === "invalid") return problems("api/invalid", outcome.problems);
  if (outcome.kind === "not-found")
    return outcome.what === "service" ? noRegistration(params["host"]) : noInstance(params);
  if (outcome.kind === "conflict") {
    return problem("api/conflict", outcome.message, outcome.hint === undefined ? {} : { hint: outcome.hint });
  }
  if (outcome.kind === "stale") {
    const hint = "Another one registered under this id after you did; end, or register under another id.";
    return problem("api/conflict", `The instance is at generation ${outcome.generation} already.`, { hint });
  }
  if (logged === "logged") {
    const instance = params["id"] === undefined ? {} : { instance: params["id"] };
    log.info({ by: caller.name, method, service: params["host"], ...instance }, "registration changed");
  }
  if (outcome.value === undefined) return { kind: "empty", status: 204, headers: {} };
  return { kind: "json", status: outcome.created ? 201 : 200, body: outcome.value };
}

const noService = (name: string | undefined): Answer =>
  problem("api/not-found", `No service with the host ${name} is known.`, { hint: "GET /api/v1/services lists all." });

const noRegistration = (name: string | undefined): Answer =>
  problem("api/not-found", `No service with the host ${name} registered itself here.`, {
    hint: "PUT /api/v1/services/{host} registers it; GET /api/v1/registrations lists all.",
  });

const noInstance = (params: ApiRequest["params"]): Answer =>
  problem("api/not-found", `The service ${params["host"]} has no registered instance ${params["id"]}.`, {
    hint: "Its lease may have ended: register it again with PUT.",
  });
