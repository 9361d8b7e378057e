import type { Check } from './focus-rules.ts';

/** Decimal text as a whole number of 10 to minus a scale. */
const units = (column: string, scale: number) =>
    `try_cast(split_part(${column}, '.', 1)
    || rpad(split_part(${column}, '.', 2), ${scale}, '0') as hugeint)`;

/** Whether one column times another is a third, to the last of 24 decimals. */
export function isProduct(a: string, b: string, product: string): string {
    return `${units(a, 12)} * ${units(b, 12)} = ${units(product, 24)}`;
}

/** What values of a column must look like, by the format attributes of the standard. */
const numeric = '^-?[0-9]+([.][0-9]+)?(E-?[0-9]+)?$';
const instant = '^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$';
const unit =
    '^([1-9][0-9]* )?[A-Za-z]*[A-Z][A-Za-z]*( [A-Z][A-Za-z]*)*' +
    '(-(Seconds|Minutes|Hours|Days|Months|Years))?(/([1-9][0-9]* )?(Second|Minute|Hour|Day|Month|Year)s?)?$';

const matches = (column: string, pattern: string) => `regexp_full_match(${column}, '${pattern}')`;
const isText = (column: string) => `trim(${column}) <> ''`;
/** An object of which no value is an object or an array, and no key is there twice. */
const isFlat = (column: string) =>
    `(json_valid(${column}) and json_type(${column}) = 'OBJECT'
    and len(json_keys(${column})) = len(list_distinct(json_keys(${column})))
    and not list_contains(list_transform(json_keys(${column}),
        lambda key: json_type(json_extract(${column}, '$."' || key || '"'))), 'OBJECT')
    and not list_contains(list_transform(json_keys(${column}),
        lambda key: json_type(json_extract(${column}, '$."' || key || '"'))), 'ARRAY'))`;

export const formatChecks: Readonly<Record<string, (column: string) => string>> = {
    TypeString: () => 'true',
    TypeDecimal: (column) => matches(column, numeric),
    TypeDateTime: (column) => `try_cast(${column} as timestamp) is not null`,
    CheckDecimalValue: (column) => matches(column, numeric),
    FormatString: isText,
    FormatNumeric: (column) => matches(column, numeric),
    FormatDateTime: (column) => matches(column, instant),
    FormatUnit: (column) => matches(column, unit),
    FormatKeyValue: isFlat,
    FormatCurrency: (column) => `(${matches(column, '^[A-Z]{3}$')} or ${isText(column)})`,
};

/** Rules of the model whose check does not say what their text says. */
export const modelErrors: Readonly<
    Record<string, { readonly condition: Check; readonly reason: string }>
> = {
    'ConsumedQuantity-C-006-C': {
        condition: {
            CheckFunction: 'CheckNotValue',
            ColumnName: 'ChargeClass',
            Value: 'Correction',
        },
        reason: 'its text is about what is not a correction, its check about what is one',
    },
};

type Count = (where: string, columns: readonly string[]) => string;

const rowsThatBreak =
    (predicate: string): Count =>
    (where) =>
        `count(*) filter (where ${where} and not coalesce(${predicate}, false))`;

/** Cells of the columns with such names that break a predicate. */
const cells =
    (names: RegExp, predicate: (column: string) => string): Count =>
    (_where, columns) =>
        columns
            .filter((name) => names.test(name))
            .map((name) => `"${name}"`)
            .map((of) => `count(*) filter (where ${of} is not null and not ${predicate(of)})`)
            .join(' + ') || '0';

const columnNames =
    (isFine: (name: string, at: number, all: readonly string[]) => boolean): Count =>
    (_where, columns) =>
        String(columns.filter((name, at) => !isFine(name, at, columns)).length);

const instants = /^(Billing|Charge)Period(Start|End)$/;
const numbers = /(Cost|Price|Quantity|Amount)$/;
const objects = /^(SkuPriceDetails|Tags)$/;
const isOurs = (name: string) => name.startsWith('x_');

const contracted = `ChargeClass is not distinct from 'Correction' or ContractedUnitPrice is null
    or ${isProduct('ContractedUnitPrice', 'PricingQuantity', 'ContractedCost')}`;

/** Rules for which the model has no check, and yet a file can be seen to keep them. */
export const dynamicChecks: Readonly<Record<string, Count>> = {
    'DateTimeFormat-A-001-M': cells(instants, (of) => `ends_with(${of}, 'Z')`),
    'DateTimeFormat-A-002-M': cells(instants, (of) => `try_cast(${of} as timestamptz) is not null`),
    'DateTimeFormat-A-004-M': cells(instants, (of) => `substr(${of}, 11, 1) = 'T'`),
    'DateTimeFormat-A-005-M': cells(instants, (of) => matches(of, instant)),
    'DateTimeFormat-A-006-M': cells(instants, (of) => `ends_with(${of}, 'Z')`),
    'CurrencyFormat-A-001-C': cells(/^BillingCurrency$/, (of) => matches(of, '^[A-Z]{3}$')),
    'CurrencyFormat-A-002-C': cells(/^PricingCurrency$/, isText),
    'NumericFormat-A-002-M': cells(numbers, (of) => matches(of, numeric)),
    'NumericFormat-A-003-M': cells(numbers, (of) => matches(of, numeric)),
    'NumericFormat-A-004-M': cells(numbers, (of) => `not contains(${of}, '/')`),
    'NumericFormat-A-005-M': cells(numbers, (of) => matches(of, numeric)),
    'NumericFormat-A-006-M': cells(numbers, (of) => `not contains(${of}, 'E+')`),
    'NumericFormat-A-007-M': cells(numbers, (of) => matches(of, numeric)),
    'NumericFormat-A-008-M': cells(numbers, (of) => matches(of, numeric)),
    'NumericFormat-A-009-M': cells(numbers, (of) => `not contains(${of}, ',')`),
    'NumericFormat-A-010-M': cells(numbers, (of) => `not starts_with(${of}, '+')`),
    'NumericFormat-A-011-M': cells(numbers, (of) => matches(of, numeric)),
    'StringHandling-A-007-M': cells(/./, isText),
    'ColumnHandling-A-001-M': columnNames((name) =>
        /^([A-Z][a-z0-9]+)+$/.test(name.replace(/^x_/, '')),
    ),
    'ColumnHandling-A-003-M': columnNames((name) => /^[A-Za-z0-9]+$/.test(name.replace(/^x_/, ''))),
    'ColumnHandling-A-005-O': columnNames((name) => name.length <= 50),
    'ColumnHandling-A-012-O': columnNames(
        (name, at, all) => isOurs(name) || !all.slice(0, at).some(isOurs),
    ),
    'ColumnHandling-A-013-O': columnNames(
        (name, at, all) => !isOurs(name) || all.slice(at).every(isOurs),
    ),
    'UnitFormat-A-001-M': cells(/Unit$/, (of) => matches(of, unit)),
    'UnitFormat-A-003-M': cells(/Unit$/, (of) => matches(of, unit)),
    'KeyValueFormat-A-001-M': cells(objects, isFlat),
    'KeyValueFormat-A-002-M': cells(objects, isFlat),
    'KeyValueFormat-A-003-M': cells(objects, isFlat),
    'KeyValueFormat-A-004-M': cells(objects, isFlat),
    // Quoted nothing is read as empty text, which no column may have.
    'NullHandling-A-001-C': cells(/./, (of) => `${of} <> ''`),
    'NullHandling-A-002-M': cells(
        /./,
        (of) =>
            `lower(${of}) not in ('', 'null', 'n/a', 'none', 'not applicable', 'not specified')`,
    ),
    'PricingQuantity-C-009-C': rowsThatBreak(contracted),
    'ContractedCost-C-009-C': rowsThatBreak(contracted),
    'ChargeClass-C-003-C': rowsThatBreak('ChargeClass is null or x_CorrectedPeriod is not null'),
    'ChargeClass-C-004-C': rowsThatBreak('x_CorrectedPeriod is null or ChargeClass is not null'),
    'SubAccountId-C-004-C': rowsThatBreak('SubAccountId is distinct from BillingAccountId'),
    'SkuPriceDetails-C-017-C': rowsThatBreak(
        `SkuPriceDetails is null or len(list_filter(json_keys(SkuPriceDetails),
            lambda key: not starts_with(key, 'x_'))) = 0`,
    ),
    'PricingCurrencyContractedUnitPrice-C-005-C': rowsThatBreak(
        'PricingCurrencyContractedUnitPrice is not null',
    ),
    'PricingCurrencyContractedUnitPrice-C-008-C': rowsThatBreak(
        'try_cast(PricingCurrencyContractedUnitPrice as decimal(38, 24)) >= 0',
    ),
    'ConsumedQuantity-C-008-C': cells(/^ConsumedQuantity$/, (of) => matches(of, numeric)),
};
