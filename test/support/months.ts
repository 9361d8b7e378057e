import { lines, type TinyProject, tinyProject } from './terminal.ts';

/*
 * A project of calls at 0.05 and images at 1.00, without a debit log: who pays is unauditable, and
 * nobody is held. north pays for itself and its team mobile, south for itself, lab for itself; what is
 * found late of lab restates the month.
 */
const config = `name: months
store: { folder: data }
rate_card: card.yaml
accounts: accounts.yaml
contracts: contracts.yaml
assets: { USD: { kind: currency, precision: 2 } }
usage:
  - name: gateway
    preset: cloudevents
    prefix: usage/
    quantities: { calls: { path: data.calls, optional: true }, images: { path: data.images, optional: true } }
meters:
  - { meter: calls, event_type: call, aggregation: sum, quantity: calls, unit: call }
  - { meter: images, event_type: image, aggregation: sum, quantity: images, unit: image }
engine: { memory: 512MB, threads: 1 }
`;

/** The card at a price of an image. */
export const cardAt = (image: string) => `card: list
version: "1"
currency: USD
charges:
  - { product: api-calls, meter: calls, unit: call, model: per_unit, rates: [{ when: {}, price: "0.05", from: 2026-01-01T00:00:00Z }] }
  - { product: pictures, meter: images, unit: image, model: per_unit, rates: [{ when: {}, price: "${image}", from: 2026-01-01T00:00:00Z }] }
`;

const since = 'currency: USD, valid_from: 2026-01-01T00:00:00Z';

/** The accounts with the team mobile below one of the payers. */
export const accountsWith = (parent: 'north' | 'south') =>
    `${['north', 'south', 'lab'].map((of) => `- { account_id: ${of}, ${since} }\n`).join('')}- { account_id: mobile, parent: ${parent}, ${since} }\n`;

/** The contract of lab, and what it says of late usage. */
export const contractOf = (more: string) => `contracts:
  - { contract: lab-1, account: lab, from: 2026-01-01T00:00:00Z, cards: [{ card: card.yaml }]${more} }
`;

/** One event. */
export const used = (
    id: string,
    account: string,
    at: string,
    data: Readonly<Record<string, number>>,
) => ({
    ...{ specversion: '1.0', source: '/gateway', id, subject: account, time: `${at}T09:00:00Z` },
    type: 'images' in data ? 'image' : 'call',
    data,
});

/** October, and a little of the two months after it. */
export function monthsFiles(): Readonly<Record<string, string>> {
    return {
        'tieout.yaml': config,
        'card.yaml': cardAt('1.00'),
        'accounts.yaml': accountsWith('north'),
        'contracts.yaml': contractOf(', late_usage: restate'),
        'data/usage/0.ndjson': lines([
            used('n1', 'north', '2026-10-05', { calls: 1000 }),
            used('n2', 'north', '2026-10-06', { images: 10 }),
            used('m1', 'mobile', '2026-10-07', { calls: 300 }),
            used('s1', 'south', '2026-10-08', { calls: 200 }),
            used('l1', 'lab', '2026-10-09', { calls: 500 }),
            used('n3', 'north', '2026-11-02', { calls: 40 }),
            used('n4', 'north', '2026-12-02', { calls: 60 }),
        ]),
    };
}

/** The same as a folder, with other files beside or instead. */
export function monthsProject(files: Readonly<Record<string, string>> = {}): TinyProject {
    return tinyProject({ ...monthsFiles(), ...files });
}
