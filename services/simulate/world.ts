import type { Account } from '@ctwa-ledger/schemas/config.ts';
import { runningTotals } from './prng.ts';

/** A business number: what its provider records and passes on, and how it answers. */
export interface BusinessNumber {
  readonly id: string;
  readonly display: string;
  /** Index in `SAMPLE_ACCOUNTS`. */
  readonly account: number;
  /** It has no outbound message events: its owner has only Meta's webhooks. */
  readonly isStatusOnly: boolean;
  /** Its statuses carry neither `pricing` nor `conversation`. */
  readonly hasPricing: boolean;
  /** Webhooks of v23 and older: a `conversation` on every message, not only inside a free entry window. */
  readonly isV23: boolean;
  /** Its provider adds `device` to inbound messages. */
  readonly hasDevice: boolean;
  /** Timestamps of its outbound message events are numbers. */
  readonly hasNumericTimes: boolean;
  /** Share of people's answers that are sent from the WhatsApp Business app. */
  readonly echoShare: number;
  /** Days between two campaigns to old customers. */
  readonly campaignDays: number;
}

/** The three accounts of the sample data. Two of them share a portfolio, and so volume tiers. */
export const SAMPLE_ACCOUNTS: Account[] = [
  {
    waba_id: '102290129340398',
    name: 'Casa Verdana Brasil',
    time_zone: 'America/Sao_Paulo',
    currency: 'BRL',
    portfolio_id: 'casa-verdana',
    phone_number_ids: ['106540352242922', '108870231945511', '111930448207716'],
  },
  {
    waba_id: '419561257915477',
    name: 'Verdana Living India',
    time_zone: 'Asia/Kolkata',
    currency: 'INR',
    portfolio_id: 'verdana-international',
    phone_number_ids: ['420118834507291', '423377610954480', '425904417362085'],
  },
  {
    waba_id: '530247719086634',
    name: 'Verdana Living US',
    time_zone: 'America/Los_Angeles',
    currency: 'USD',
    portfolio_id: 'verdana-international',
    phone_number_ids: ['531760428119953', '534482907715620'],
  },
];

function businessNumber(id: string, display: string, account: number, rest: Partial<BusinessNumber>): BusinessNumber {
  return {
    id,
    display,
    account,
    isStatusOnly: false,
    hasPricing: true,
    isV23: false,
    hasDevice: false,
    hasNumericTimes: false,
    echoShare: 0,
    campaignDays: 14,
    ...rest,
  };
}

export const NUMBERS: readonly BusinessNumber[] = [
  businessNumber('106540352242922', '551130042210', 0, { campaignDays: 9 }),
  businessNumber('108870231945511', '551130042288', 0, { isV23: true, echoShare: 0.25, campaignDays: 15 }),
  businessNumber('111930448207716', '552138501190', 0, { hasPricing: false, echoShare: 0.4, campaignDays: 30 }),
  businessNumber('420118834507291', '918045126600', 1, { hasNumericTimes: true, campaignDays: 7 }),
  businessNumber('423377610954480', '918045126611', 1, { hasDevice: true, campaignDays: 12 }),
  businessNumber('425904417362085', '912269034477', 1, { isStatusOnly: true, echoShare: 0.15, campaignDays: 21 }),
  businessNumber('531760428119953', '15550783881', 2, { campaignDays: 11 }),
  businessNumber('534482907715620', '15550784410', 2, { hasNumericTimes: true, echoShare: 0.1, campaignDays: 18 }),
];

/**
 * Ways to answer customers: `bot` in seconds; `hybrid` first a bot, then people; `agents` people in business hours;
 * `slow` people after hours; `nobody` hardly ever.
 */
type AnswerStyle = 'bot' | 'hybrid' | 'agents' | 'slow' | 'nobody';

/** What brings customers to a number. */
export interface Source {
  readonly kind: 'ad' | 'post' | 'organic' | 'login' | 'campaign';
  /** Index in `NUMBERS`. */
  readonly number: number;
  /** Relative number of threads. */
  readonly weight: number;
  readonly style: AnswerStyle;
  /** Share of customers who get any answer. */
  readonly answered: number;
  /** Share of conversations that get the reminders. */
  readonly reminded: number;
  /** When it runs, as shares of the whole time. */
  readonly from: number;
  readonly to: number;
  /** JSON members of the referral up to the click id, or empty. */
  readonly referral: string;
}

function referralOf(type: string, id: string, url: string, headline: string, body: string, media: string): string {
  const fields = { source_type: type, source_id: id, source_url: url, headline, body, media_type: media };
  return JSON.stringify(fields).slice(0, -1);
}

type AdRow = readonly [
  number: number,
  weight: number,
  style: AnswerStyle,
  answered: number,
  reminded: number,
  from: number,
  to: number,
  headline: string,
  body: string,
  media: 'image' | 'video',
];

const ADS: readonly AdRow[] = [
  [0, 19, 'bot', 0.99, 0.6, 0, 1, 'Fale com a gente', 'Sofás sob medida com entrega em 15 dias.', 'video'],
  [0, 9, 'hybrid', 0.97, 0.5, 0, 1, 'Orçamento na hora', 'Mande a foto da sua sala e receba um projeto.', 'image'],
  [0, 5.5, 'hybrid', 0.95, 0.7, 0.2, 0.8, 'Semana do colchão', 'Até 40% em colchões, só esta semana.', 'image'],
  [0, 2.6, 'bot', 0.98, 0.4, 0.55, 1, 'Black Friday antecipada', 'Entre na lista e veja antes.', 'video'],
  [1, 6.5, 'agents', 0.92, 0.35, 0, 1, 'Visite o showroom', 'Agende sua visita na Vila Madalena.', 'image'],
  [1, 3.2, 'agents', 0.84, 0.2, 0, 0.6, 'Plantas que duram', 'Monte o seu jardim de inverno.', 'image'],
  [1, 1.4, 'slow', 0.7, 0.1, 0.3, 1, 'Trabalhe conosco', 'Vagas para montadores em São Paulo.', 'image'],
  [2, 1.1, 'agents', 0.8, 0.2, 0, 1, 'Verdana no Rio', 'A nova loja da Tijuca abriu.', 'video'],
  [2, 0.5, 'nobody', 0.04, 0, 0, 0.5, 'Assistência técnica', 'Fale com a oficina.', 'image'],
  [3, 16, 'bot', 0.995, 0.65, 0, 1, 'Chat to see the price', 'Teak dining sets from Rs 24,999.', 'video'],
  [3, 8, 'bot', 0.98, 0.5, 0, 0.75, 'Diwali offers', 'Lights, lamps and lanterns.', 'video'],
  [3, 4.4, 'hybrid', 0.96, 0.55, 0.1, 1, 'Book a home visit', 'Free measuring in 14 cities.', 'image'],
  [3, 2.1, 'hybrid', 0.93, 0.3, 0.65, 1, 'Wedding registry', 'Plan the list with our team.', 'image'],
  [4, 5, 'agents', 0.88, 0.3, 0, 1, 'Modular kitchens', 'Talk to a designer today.', 'video'],
  [4, 2.7, 'slow', 0.78, 0.2, 0, 1, 'Wardrobes to order', 'Share your floor plan.', 'image'],
  [4, 0.9, 'nobody', 0.03, 0, 0.15, 0.7, 'Bulk orders', 'Hotels and offices.', 'image'],
  [5, 3.4, 'agents', 0.9, 0.4, 0, 1, 'Mumbai store', 'Ask what is on display.', 'image'],
  [5, 1.2, 'slow', 0.66, 0.1, 0.4, 1, 'Exchange your sofa', 'We take the old one.', 'image'],
  [6, 8.5, 'hybrid', 0.97, 0.5, 0, 1, 'Chat with us', 'Summer succulents are here!', 'image'],
  [6, 4.1, 'agents', 0.91, 0.45, 0, 1, 'Design consultation', 'Thirty minutes, on the house.', 'video'],
  [6, 1.9, 'bot', 0.985, 0.35, 0.35, 0.9, 'Track the restock', 'Be first when it is back.', 'image'],
  [6, 0.7, 'nobody', 0.05, 0, 0, 1, 'Wholesale', 'For landscapers & florists.', 'image'],
  [7, 2.4, 'agents', 0.86, 0.3, 0, 1, 'Hablemos', 'Muebles para espacios pequeños.', 'video'],
  [7, 1, 'slow', 0.72, 0.15, 0.5, 1, 'Entrega gratis', 'En el área de Los Ángeles.', 'image'],
  [7, 0.3, 'agents', 0.8, 0.1, 0.9, 1, 'Nueva colección', 'Otoño en casa.', 'image'],
];

function adSource(row: AdRow, i: number): Source {
  const [number, weight, style, answered, reminded, from, to, headline, body, media] = row;
  const id = `1202263058548${String(10726 + i * 413).padStart(5, '0')}`;
  const url = `https://fb.me/${(170_104 + i * 7919).toString(36)}Wqkv`;
  const referral = referralOf('ad', id, url, headline, body, media);
  return { kind: 'ad', number, weight, style, answered, reminded, from, to, referral };
}

function postSource(number: number, weight: number, id: string, headline: string, style: AnswerStyle): Source {
  const referral = referralOf('post', id, `https://www.facebook.com/${id}`, headline, '', 'image').replace(
    ',"body":""',
    '',
  );
  return { kind: 'post', number, weight, style, answered: 0.9, reminded: 0.2, from: 0, to: 1, referral };
}

function plainSource(
  kind: 'organic' | 'login' | 'campaign',
  number: number,
  weight: number,
  style: AnswerStyle,
): Source {
  return { kind, number, weight, style, answered: 0.92, reminded: 0.05, from: 0, to: 1, referral: '' };
}

export const SOURCES: readonly Source[] = [
  ...ADS.map(adSource),
  postSource(0, 2.6, '318840271150392', 'Casa Verdana', 'hybrid'),
  postSource(1, 1.1, '318840271150777', 'Jardim de inverno', 'agents'),
  postSource(4, 1.7, '441902285530016', 'Kitchens of the month', 'agents'),
  postSource(6, 1.3, '557104482961123', 'Before and after', 'hybrid'),
  plainSource('organic', 0, 4.5, 'hybrid'),
  plainSource('organic', 1, 2.2, 'agents'),
  plainSource('organic', 2, 0.4, 'agents'),
  plainSource('organic', 3, 4, 'bot'),
  plainSource('organic', 4, 1.6, 'agents'),
  plainSource('organic', 5, 1, 'agents'),
  plainSource('organic', 6, 2.4, 'hybrid'),
  plainSource('organic', 7, 0.9, 'agents'),
  plainSource('login', 3, 3, 'bot'),
  plainSource('login', 6, 1.5, 'bot'),
  plainSource('campaign', 0, 2.5, 'hybrid'),
  plainSource('campaign', 3, 4, 'bot'),
  plainSource('campaign', 6, 1.5, 'hybrid'),
];

/** Indexes in `SOURCES` of what brings entries to each number, for second clicks. */
export const ENTRY_SOURCES: readonly (readonly Source[])[] = NUMBERS.map((_, number) =>
  SOURCES.filter((source) => source.number === number && (source.kind === 'ad' || source.kind === 'post')),
);

/** A country: ISO code, how its numbers begin (calling code, then network prefix), and how many digits follow. */
export interface Country {
  readonly iso: string;
  readonly prefixes: readonly string[];
  readonly digits: number;
}

function country(iso: string, code: string, networks: string, digits: number): Country {
  return { iso, prefixes: networks.split(' ').map((network) => code + network), digits };
}

/** With the share of each country among foreign customers: every market that Meta prices, and unlisted ones. */
const COUNTRIES: readonly (readonly [country: Country, weight: number])[] = [
  [country('BR', '55', '119 219 319 419 519 619 719 819 859 919', 8), 5],
  [country('IN', '91', '98 97 96 90 89 88 87 79 70 63', 8), 6],
  [country('US', '1', '212 310 312 323 415 503 602 650 702 714 786 818 917', 7), 8],
  [country('CA', '1', '416 514 604', 7), 2],
  [country('MX', '52', '155 133 181', 8), 7],
  [country('AR', '54', '9115 9351 9341', 7), 4],
  [country('CL', '56', '9', 8), 3],
  [country('CO', '57', '300 310 320', 7), 4],
  [country('PE', '51', '9', 8), 2.5],
  [country('EC', '593', '9', 8), 1],
  [country('DO', '1', '809 829 849', 7), 1],
  [country('JM', '1', '876', 7), 0.4],
  [country('ID', '62', '812 813 857', 8), 3],
  [country('MY', '60', '12 16', 7), 1.5],
  [country('SG', '65', '8 9', 7), 1],
  [country('HK', '852', '5 6 9', 7), 0.6],
  [country('PH', '63', '917 998', 7), 1],
  [country('BD', '880', '17 18', 8), 1.2],
  [country('NP', '977', '98', 8), 0.8],
  [country('LK', '94', '77', 7), 0.6],
  [country('PK', '92', '300 345', 7), 1.4],
  [country('JP', '81', '90', 8), 0.5],
  [country('AU', '61', '4', 8), 0.9],
  [country('AE', '971', '50 55', 7), 3],
  [country('SA', '966', '50 55', 7), 2],
  [country('KW', '965', '9', 7), 0.7],
  [country('OM', '968', '9', 7), 0.6],
  [country('QA', '974', '5', 7), 0.6],
  [country('IQ', '964', '77', 8), 0.4],
  [country('IL', '972', '54', 7), 0.6],
  [country('TR', '90', '532', 7), 0.8],
  [country('EG', '20', '10', 8), 1],
  [country('MA', '212', '6', 8), 0.6],
  [country('NG', '234', '803', 7), 1],
  [country('ZA', '27', '82', 7), 1],
  [country('KE', '254', '7', 8), 0.7],
  [country('ZW', '263', '77', 7), 0.2],
  [country('GB', '44', '77 79', 8), 2.5],
  [country('DE', '49', '151 170', 8), 1.6],
  [country('FR', '33', '6', 8), 1.2],
  [country('IT', '39', '347', 7), 1.2],
  [country('ES', '34', '6', 8), 1.6],
  [country('NL', '31', '6', 8), 0.8],
  [country('PT', '351', '91 96', 7), 1.4],
  [country('CH', '41', '79', 7), 0.4],
  [country('PL', '48', '60', 7), 0.5],
  [country('HU', '36', '30', 7), 0.3],
  [country('RO', '40', '72', 7), 0.4],
  [country('UA', '380', '67', 7), 0.4],
  [country('RU', '7', '916', 7), 0.5],
  [country('KZ', '7', '701 777', 7), 0.4],
  [country('KR', '82', '10', 8), 0.4],
];

const HOMES = ['BR', 'IN', 'US'];
const HOME_SHARES = [0.93, 0.9, 0.82];

export interface Countries {
  readonly list: readonly Country[];
  readonly totals: readonly number[];
}

/** The customers' countries by account: mostly its own, the others by their shares. */
export const COUNTRIES_OF_ACCOUNT: readonly Countries[] = HOMES.map((home, account) => {
  const abroad = COUNTRIES.reduce((sum, [{ iso }, weight]) => (iso === home ? sum : sum + weight), 0);
  const share = HOME_SHARES[account] as number;
  const weights = COUNTRIES.map(([{ iso }, weight]) => (iso === home ? share : (weight / abroad) * (1 - share)));
  return { list: COUNTRIES.map(([listed]) => listed), totals: runningTotals(weights) };
});

/** Countries with a rate of their own for authentication from businesses elsewhere. */
export const AUTHENTICATION_INTERNATIONAL = new Set(['AE', 'EG', 'ID', 'IN', 'MY', 'NG', 'PK', 'SA', 'ZA']);

/** The home country of each account. */
export const HOME_OF_ACCOUNT: readonly string[] = HOMES;

/** Local hours of business, and the weight of the customers' traffic by local hour. */
export const BUSINESS_OPENS = 9;
export const BUSINESS_CLOSES = 19;
export const HOUR_WEIGHTS: readonly number[] = [
  0.12, 0.07, 0.05, 0.04, 0.05, 0.08, 0.18, 0.35, 0.55, 0.75, 0.9, 0.95, 0.9, 0.85, 0.8, 0.8, 0.82, 0.86, 0.95, 1, 0.98,
  0.8, 0.5, 0.25,
];
/** From Sunday. */
export const WEEKDAY_WEIGHTS: readonly number[] = [0.7, 1, 0.97, 0.95, 0.97, 1, 0.85];

export type Category =
  'service' | 'utility' | 'marketing' | 'authentication' | 'authentication-international' | 'marketing_lite';

export interface Template {
  /** JSON members that follow the type of an outbound message event. */
  readonly json: string;
  /** The category that Meta reports: two of these are never the category of a template itself. */
  readonly category: Category;
}

function template(name: string, language: string, category: Category, reported: Category = category): Template {
  return {
    json: `,"template":${JSON.stringify({ name, language, category: category.toUpperCase() })}`,
    category: reported,
  };
}

export interface Templates {
  readonly reminder: readonly Template[];
  readonly campaign: readonly Template[];
  readonly utility: readonly Template[];
  readonly login: Template;
  readonly loginInternational: Template;
}

/** By account. */
export const TEMPLATES: readonly Templates[] = ['pt_BR', 'en', 'en_US'].map((language) => ({
  reminder: [template('follow_up', language, 'marketing'), template('still_interested', language, 'marketing')],
  campaign: [
    template('weekend_offer', language, 'marketing'),
    template('new_collection', language, 'marketing'),
    template('price_drop', language, 'marketing'),
    template('members_first', language, 'marketing', 'marketing_lite'),
  ],
  utility: [
    template('order_confirmed', language, 'utility'),
    template('order_shipped', language, 'utility'),
    template('visit_tomorrow', language, 'utility'),
  ],
  login: template('one_time_code', language, 'authentication'),
  loginInternational: template('one_time_code', language, 'authentication', 'authentication-international'),
}));

function failure(code: number, title: string, details: string): string {
  const href = '/documentation/business-messaging/whatsapp/support/error-codes';
  return `,"errors":${JSON.stringify([{ code, title, message: title, error_data: { details }, href }])}`;
}

/** JSON members of failed statuses, by reason. */
export const FAILURES = {
  windowClosed: failure(
    131047,
    'Re-engagement message',
    'Message failed to send because more than 24 hours have passed since the customer last replied to this number.',
  ),
  undeliverable: failure(131026, 'Message undeliverable', 'Unable to deliver message.'),
  ecosystem: failure(
    131049,
    'This message was not delivered to maintain healthy ecosystem engagement.',
    'In order to maintain a healthy ecosystem engagement, the message failed to be delivered.',
  ),
  experiment: failure(130472, "User's number is part of an experiment", "User's number is part of an experiment."),
  stopped: failure(131050, 'User stopped marketing messages', 'The user has chosen to stop marketing messages.'),
  payment: failure(131042, 'Business eligibility payment issue', 'There was an error related to your payment method.'),
  unavailable: failure(131016, 'Service unavailable', 'Service is temporarily unavailable.'),
} as const;
