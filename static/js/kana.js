// @ts-check
// Names are found however they are typed: kanji as they stand; hiragana, katakana (also half-width) and romaji alike.
import { fold } from "./text.js";

/** Kana by romaji, in the order in which they are tried: the longest first. Hepburn and Kunrei, as people type. */
const ROMAJI = table(`
kya きゃ kyu きゅ kyo きょ sha しゃ shu しゅ sho しょ sya しゃ syu しゅ syo しょ cha ちゃ chu ちゅ cho ちょ tya ちゃ tyu ちゅ tyo ちょ
nya にゃ nyu にゅ nyo にょ hya ひゃ hyu ひゅ hyo ひょ mya みゃ myu みゅ myo みょ rya りゃ ryu りゅ ryo りょ gya ぎゃ gyu ぎゅ gyo ぎょ
ja じゃ ju じゅ jo じょ jya じゃ jyu じゅ jyo じょ zya じゃ zyu じゅ zyo じょ dya ぢゃ dyu ぢゅ dyo ぢょ bya びゃ byu びゅ byo びょ pya ぴゃ pyu ぴゅ pyo ぴょ
she しぇ je じぇ che ちぇ fa ふぁ fi ふぃ fe ふぇ fo ふぉ va ゔぁ vi ゔぃ vu ゔ ve ゔぇ vo ゔぉ wi うぃ we うぇ ti ち di でぃ tsu つ shi し chi ち
ka か ki き ku く ke け ko こ sa さ si し su す se せ so そ ta た tu つ te て to と na な ni に nu ぬ ne ね no の
ha は hi ひ hu ふ fu ふ he へ ho ほ ma ま mi み mu む me め mo も ya や yu ゆ yo よ ra ら ri り ru る re れ ro ろ wa わ wo を
ga が gi ぎ gu ぐ ge げ go ご za ざ ji じ zi じ zu ず ze ぜ zo ぞ da だ du づ de で do ど ba ば bi び bu ぶ be べ bo ぼ pa ぱ pi ぴ pu ぷ pe ぺ po ぽ
a あ i い u う e え o お nn ん n' ん`);

/** @param {string} rows @returns {[string, string][]} */
function table(rows) {
  const words = rows.trim().split(/\s+/);
  const pairs = Array.from({ length: words.length / 2 }, (_, i) => /** @type {[string, string]} */ ([words[2 * i] ?? "", words[2 * i + 1] ?? ""]));
  return pairs.sort((a, b) => b[0].length - a[0].length);
}

/**
 * Romaji as hiragana; what is no romaji stays. A consonant at the end, half typed, is left out, so that the list does not empty at every second key.
 * @param {string} romaji folded
 */
export function toKana(romaji) {
  let rest = romaji.replace(/ō/g, "ou").replace(/ū/g, "uu").replace(/[âàá]/g, "a"), kana = "";
  while (rest) {
    const hit = ROMAJI.find(([r]) => rest.startsWith(r));
    if (hit && !(hit[0] === "nn" && /^nn[aiueoy]/.test(rest))) [kana, rest] = [kana + hit[1], rest.slice(hit[0].length)];
    else if (/^([bcdfghjkmprstvwz])\1|^tch/.test(rest)) [kana, rest] = [`${kana}っ`, rest.slice(1)];
    else if (/^[nm](?![aiueoy])/.test(rest)) [kana, rest] = [`${kana}ん`, rest.slice(1)];
    else if (/^([bcdfghjklmnpqrstvwxyz]|[bcdfghjkmnprstvwz]y|sh|ch|ts)$/.test(rest)) rest = "";
    else [kana, rest] = [kana + rest[0], rest.slice(1)];
  }
  return kana;
}

/** A name as it is compared: both kana alike, long vowels short, signs and spaces gone. @param {string} s */
export const plainKana = (s) => fold(s).replace(/[\s・･\-‐–—]/g, "").replace(/[ぁぃぅぇぉゃゅょゎ]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 1)).replace(/づ/g, "ず").replace(/ぢ/g, "じ").replace(/ー/g, "")
  .replace(/([おこそとのほもよろをごぞどぼぽ])[うお]/g, "$1").replace(/([うくすつぬふむゆるぐずぶぷ])う/g, "$1");

/**
 * What is typed, ready to be looked for: as it stands, and as kana.
 * @param {string} typed
 */
export function asked(typed) {
  const plain = fold(typed.trim());
  return { plain, kana: plainKana(/[a-zōū]/.test(plain) ? toKana(plain.replace(/\s/g, "")) : plain) };
}

/** Texts, ready to be looked through. @param {string[]} texts */
export const lookable = (texts) => ({ plain: texts.map(fold).join("\n"), kana: texts.map(plainKana).join("\n") });

/** @param {ReturnType<typeof asked>} q @param {ReturnType<typeof lookable>} texts */
export const fits = (q, texts) => texts.plain.includes(q.plain) || (q.kana !== "" && texts.kana.includes(q.kana));

/**
 * Whether one of the texts has what is typed, in whichever way it is typed.
 * @param {string} typed
 * @param {...string} texts
 */
export const found = (typed, ...texts) => fits(asked(typed), lookable(texts));
