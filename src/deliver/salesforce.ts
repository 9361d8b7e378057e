import { ingestionGraphs } from '../export/salesforce-graph.ts';
import { journalRecords, stagingRecords } from '../export/salesforce-records.ts';
import type { SalesforceSettings } from '../schema/deliver-salesforce.ts';
import { bulkRoute } from './salesforce-bulk.ts';
import { orgOf } from './salesforce-connection.ts';
import { ingestionRoute } from './salesforce-invoices.ts';
import type { Opening, Target } from './target.ts';

/** Milliseconds between looks at a job; tests are in more of a hurry. */
const glance = 2_000;

/** A Salesforce org: rated lines as staging records, draft invoices, or quantities to be rated there. */
export function salesforceTarget(
    { settings, names, environment, now }: Opening<SalesforceSettings>,
    look = glance,
): Target {
    const org = orgOf(settings, environment, now);
    const { route, staging, journal, instance_url } = settings;
    const { concurrency, per_second: perSecond } = settings;
    const head = { name: 'salesforce', concurrency, perSecond, close: async () => {} };
    const address = `${new URL(instance_url).host}, ${route}`;
    const waiting = { org, wait: settings.wait_seconds * 1_000, look };
    if (route === 'ingestion') {
        const pack: Target['pack'] = (of) => ingestionGraphs(of, names, settings);
        return { ...head, address, pack, ...ingestionRoute(org, settings, look) };
    }
    if (route === 'journal' && journal) {
        const units = new Map(
            Object.entries(journal.units).map(([of, id]) => [id.slice(0, 15), of]),
        );
        const bulk = bulkRoute({
            ...{ ...waiting, object: 'TransactionJournal', batch_field: journal.batch_field },
            ...{ amount_field: 'Quantity', code_field: 'QuantityUnitOfMeasureId' },
            codeOf: (id) => units.get(id.slice(0, 15)) ?? id,
        });
        const pack: Target['pack'] = (of) => journalRecords(of, names, settings, journal);
        return { ...head, address, pack, ...bulk };
    }
    const bulk = bulkRoute({
        ...{ ...waiting, object: staging.object, batch_field: 'Batch_Key__c' },
        ...{ amount_field: 'Amount__c', code_field: 'Currency__c', codeOf: (code) => code },
    });
    const pack: Target['pack'] = (of) => stagingRecords(of, names, settings);
    return { ...head, address, pack, ...bulk };
}
