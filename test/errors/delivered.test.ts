import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waybills } from '../../src/deliver/deliver.ts';
import { ownNames } from '../../src/deliver/names.ts';
import { netsuiteTokens } from '../../src/deliver/netsuite-token.ts';
import { enterStep, readOutbox } from '../../src/deliver/outbox.ts';
import { stripeTarget } from '../../src/deliver/stripe.ts';
import type { Parcel, Target } from '../../src/deliver/target.ts';
import type { NetsuiteSettings } from '../../src/schema/deliver-netsuite.ts';
import { stripeSettingsSchema } from '../../src/schema/deliver-stripe.ts';
import type { DeliveryRecord } from '../../src/schema/delivery.ts';
import { beforehand } from '../support/beforehand.ts';
import { memoryStore } from '../support/memory-store.ts';
import { receiver } from '../support/receiver.ts';
import { type Failing, fails, raises, type TinyProject } from '../support/terminal.ts';

const month = '--period 2026-10';
const line = `deliver ${month} --target webhook`;
const webhook = 'deliveries: { webhook: { url_env: BOOKS } }\n';
const closed = (project: TinyProject) => beforehand(project, `run ${month}`, `close ${month}`);
const delivering = (deliveries: string, more: Partial<Failing> = {}): Failing => ({
    hasRun: true,
    line,
    ...more,
    // Where lines go is no part of what they were made from.
    before: async (project) => {
        await (more.before ?? closed)(project);
        appendFileSync(join(project.folder, 'tieout.yaml'), deliveries);
    },
});

/** What keeps lines from a target. */
describe('deliveries', () => {
    test('DELIVERY_REFUSED: the config has no such target', async () => {
        expect(await fails('DELIVERY_REFUSED', 2, delivering(''))).toMatchInlineSnapshot(`
          "DELIVERY_REFUSED: nothing was sent to webhook: tieout.yaml does not say where that is
            -> Add \`deliveries: { webhook: ... }\`; docs/deliveries.md has what it takes.
          "
        `);
    });

    test('DELIVERY_REFUSED: its address is in no variable', async () => {
        expect(await fails('DELIVERY_REFUSED', 2, delivering(webhook))).toMatchInlineSnapshot(`
          "DELIVERY_REFUSED: nothing was sent to webhook: the environment variable BOOKS is not set
            -> Set it where tieout runs.
          "
        `);
    });

    test('DELIVERY_REFUSED: the month is open', async () => {
        const address = 'deliveries: { webhook: { url: "http://127.0.0.1:9" } }\n';
        const before = (project: TinyProject) => beforehand(project, `run ${month}`);
        expect(
            await fails('DELIVERY_REFUSED', 2, delivering(address, { before })),
        ).toMatchInlineSnapshot(`
          "DELIVERY_REFUSED: nothing was sent to webhook: 2026-10 is open, and what was delivered never changes
            -> Close it first: \`tieout close --period 2026-10\`.
          "
        `);
    });

    test('NAMES_INVALID: all that is wrong with the names', async () => {
        const names =
            'kind,ours,target,theirs\npayer,acme,webhook,1\npayer,acme,webhook,2\nbuyer,a,b,c\n';
        const deliveries =
            'deliveries: { names: names.csv, webhook: { url: "http://127.0.0.1:9" } }\n';
        const files = { 'names.csv': names };
        expect(
            await fails('NAMES_INVALID', 2, delivering(deliveries, { files })),
        ).toMatchInlineSnapshot(`
          "NAMES_INVALID: 2 problems in the names of targets
          names.csv:3: NAMES_INVALID payer "acme" has a name in webhook already
              Keep the one that is right.
          names.csv:4: NAMES_INVALID kind "buyer" is none of payer, product, subsidiary
            -> Correct them all and run again; nothing was sent.
          "
        `);
    });

    test('NAMES_INVALID: the file is gone', async () => {
        const deliveries =
            'deliveries: { names: names.csv, webhook: { url: "http://127.0.0.1:9" } }\n';
        const files = { 'names.csv': 'kind,ours,target,theirs\n' };
        const before = async (project: TinyProject) => {
            await closed(project);
            rmSync(join(project.folder, 'names.csv'));
        };
        const said = await fails('CONFIG_INVALID', 2, delivering(deliveries, { files, before }));
        expect(said).toContain('names.csv');
    });

    test('USAGE: a target that is none', async () => {
        const other = delivering('', { line: `deliver ${month} --target webhok` });
        expect(await fails('USAGE', 2, other)).toContain('Write --target webhook.');
    });

    const parcel: Parcel = {
        ...{ parcel_key: 'acme-2026-10-USD', payer_id: 'acme', currency: 'USD' },
        ...{ line_count: 1, amount: '12.50', products: [], payload: { amount: '12.50' } },
    };
    const step: Omit<DeliveryRecord, 'number'> = {
        ...{ state: 'sent', parcel_key: parcel.parcel_key, payload_sha256: 'a'.repeat(64) },
        ...{ period: '2026-10', run_id: 'run', payer_id: 'acme', currency: 'USD' },
        ...{ line_count: 1, amount: '13.00', products: [], remote_id: null, detail: '' },
        ...{ by: 'ada', start_id: 'first', at: '2026-11-05T09:00:00Z' },
    };

    test('DELIVERY_CHANGED: what was sent is not what would be', async () => {
        const outbox = new Map([[parcel.parcel_key, { number: 2, ...step }]]);
        const target = { name: 'webhook' } as Target;
        const said = await raises('DELIVERY_CHANGED', async () =>
            waybills(target, outbox, [parcel]),
        );
        expect(said).toMatchInlineSnapshot(`
          "DELIVERY_CHANGED: webhook has other lines under the same key than would be sent now:
              acme-2026-10-USD: 13.00 USD sent of run, now 12.50
            -> Nothing was sent. If the run is the same as now, a setting of the target or a name changed since: put it back. If it is another: what was delivered never changes, so let \`tieout backfill\` bill the difference in the open month, and reopen nothing for it.
          "
        `);
    });

    test('DELIVERY_OUTRUN: somebody else is at it', async () => {
        const store = memoryStore({});
        await enterStep(store, 'webhook', null, step);
        const other = { ...step, by: 'bob', start_id: 'second' };
        const said = await raises('DELIVERY_OUTRUN', () =>
            enterStep(store, 'webhook', null, other),
        );
        expect(said).toMatchInlineSnapshot(`
          "DELIVERY_OUTRUN: acme-2026-10-USD is being delivered to webhook by another start, of ada
            -> Let one delivery run at a time; run the same command again once it has ended.
          "
        `);
    });

    test('DELIVERY_UNANSWERED: nobody is there to say whose books these are', async () => {
        const there = await receiver(500);
        const settings = stripeSettingsSchema.parse({ url: there.url });
        const environment = { TIEOUT_STRIPE_KEY: 'sk_test_key' };
        const opening = { settings, names: ownNames, environment, now: () => '' };
        const said = await raises('DELIVERY_UNANSWERED', () => stripeTarget(opening));
        await there.stop();
        expect(said).toMatchInlineSnapshot(`
          "DELIVERY_UNANSWERED: nothing was sent to stripe: whose key it is could not be asked: something in front of it answered 500
            -> Start the same command again in a few minutes. If it says the same: the network of this machine, then the status page of the target.
          "
        `);
    });

    test('DELIVERY_LOCKED_OUT: the target knows neither the key nor whose it is', async () => {
        const there = await receiver(401);
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
        const names = { algorithm: 'ES256', certificate_id: 'c', client_id: 'x' };
        const environment = { TIEOUT_NETSUITE_PRIVATE_KEY: pem };
        const now = () => '2026-11-05T09:00:00Z';
        const tokens = netsuiteTokens(names as NetsuiteSettings, there.url, environment, now);
        const said = await raises('DELIVERY_LOCKED_OUT', () => tokens.current());
        await there.stop();
        expect(said).toMatchInlineSnapshot(`
          "DELIVERY_LOCKED_OUT: netsuite does not let tieout in: it answered 401 to the claim that is signed with TIEOUT_NETSUITE_PRIVATE_KEY
            -> Check client_id, certificate_id, the end of the certificate and the role of the integration (Login Audit Trail in NetSuite), and the clock of this machine. Then start the delivery again: it goes on where it was.
          "
        `);
    });

    test('OUTBOX_DAMAGED: a record was edited', async () => {
        const store = memoryStore({ 'deliveries/2026-10/webhook/0/0001.json': '{}' });
        const said = await raises('OUTBOX_DAMAGED', () => readOutbox(store, 'webhook', '2026-10'));
        expect(said).toMatchInlineSnapshot(`
          "OUTBOX_DAMAGED: s3://memory/deliveries/2026-10/webhook/0/0001.json is not as a delivery left it: it is no record of a delivery
            -> Nothing was sent. Restore the \`deliveries\` folder from a backup; nobody may edit, remove or add to it.
          "
        `);
    });
});
