import { z } from 'zod';
import { strict } from './strict.ts';
import { text } from './written.ts';

/**
 * Service categories of FOCUS and the subcategories of each, without the one that all have: Other
 * (Category). Source: the rule model of version 1.2, ServiceCategory-C-003-M and
 * ServiceSubcategory-C-004-M.
 */
export const serviceCategories = {
    'AI and Machine Learning': [
        'AI Platforms',
        'Bots',
        'Generative AI',
        'Machine Learning',
        'Natural Language Processing',
    ],
    Analytics: [
        'Analytics Platforms',
        'Business Intelligence',
        'Data Processing',
        'Search',
        'Streaming Analytics',
    ],
    'Business Applications': ['Productivity and Collaboration'],
    Compute: [
        'Containers',
        'End User Computing',
        'Quantum Compute',
        'Serverless Compute',
        'Virtual Machines',
    ],
    Databases: [
        'Caching',
        'Data Warehouses',
        'Ledger Databases',
        'NoSQL Databases',
        'Relational Databases',
        'Time Series Databases',
    ],
    'Developer Tools': [
        'Developer Platforms',
        'Continuous Integration and Deployment',
        'Development Environments',
        'Source Code Management',
        'Quality Assurance',
    ],
    Multicloud: ['Multicloud Integration'],
    Identity: ['Identity and Access Management'],
    Integration: ['API Management', 'Messaging', 'Workflow Orchestration'],
    'Internet of Things': ['IoT Analytics', 'IoT Platforms'],
    'Management and Governance': [
        'Architecture',
        'Compliance',
        'Cost Management',
        'Data Governance',
        'Disaster Recovery',
        'Endpoint Management',
        'Observability',
        'Support',
    ],
    Media: ['Content Creation', 'Gaming', 'Media Streaming', 'Mixed Reality'],
    Migration: ['Data Migration', 'Resource Migration'],
    Mobile: [],
    Networking: [
        'Application Networking',
        'Content Delivery',
        'Network Connectivity',
        'Network Infrastructure',
        'Network Routing',
        'Network Security',
    ],
    Security: ['Secret Management', 'Security Posture Management', 'Threat Detection and Response'],
    Storage: [
        'Backup Storage',
        'Block Storage',
        'File Storage',
        'Object Storage',
        'Storage Platforms',
    ],
    Web: ['Application Platforms'],
    Other: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ServiceCategory = keyof typeof serviceCategories;

const categories = Object.keys(serviceCategories) as [ServiceCategory, ...ServiceCategory[]];

/** The subcategories of a category; the one that all have is the last. */
export function subcategoriesOf(category: ServiceCategory): readonly string[] {
    return [...serviceCategories[category], `Other (${category})`];
}

/** `focus` of tieout.yaml: what the FOCUS files say that no run knows. */
export const focusSchema = strict({
    service_provider: text('service_provider').describe('The brand that sells the service.'),
    invoice_issuer: text('invoice_issuer')
        .optional()
        .describe('Who issues the invoices; left out, the service provider.'),
    host_provider: text('host_provider')
        .optional()
        .describe('Where the service runs; left out, the service provider.'),
    service_category: z
        .enum(categories)
        .default('AI and Machine Learning')
        .describe('A category of the standard.'),
    service_subcategory: text('service_subcategory')
        .optional()
        .describe('A subcategory of it; left out, Other (category).'),
    services: z
        .record(z.string(), text('a service name'))
        .default({})
        .describe('ServiceName by product; a product that is not here is its own.'),
    payment_terms: text('payment_terms')
        .default('As agreed')
        .describe('As on the invoices, like Net 30.'),
}).check(({ value, issues }) => {
    const { service_category, service_subcategory } = value;
    const known = subcategoriesOf(service_category);
    if (service_subcategory === undefined || known.includes(service_subcategory)) return;
    issues.push({
        code: 'custom',
        input: service_subcategory,
        path: ['service_subcategory'],
        message:
            `"${service_subcategory}" is no subcategory of "${service_category}": ` +
            `write one of ${known.join(', ')}`,
    });
});

export type FocusConfig = z.output<typeof focusSchema>;
