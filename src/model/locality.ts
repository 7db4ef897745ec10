/** Where something runs; an unknown part is the empty string. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** Parses `region/zone/subzone`; missing parts are empty. */
export function parseLocality(text: string): Locality {
  const [region = "", zone = "", subzone = ""] = text.split("/");
  return { region, zone, subzone };
}

/** The inverse of `parseLocality`, without trailing slashes; the unknown locality is the empty string. */
export function formatLocality({ region, zone, subzone }: Locality): string {
  return `${region}/${zone}/${subzone}`.replace(/\/+$/, "");
}
