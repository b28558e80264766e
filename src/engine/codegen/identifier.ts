import { createHash } from 'node:crypto';

/** Keywords of C11 and C++23, alternative tokens and names that common toolchains define as macros. */
const reservedWords = new Set(
  (
    'alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class ' +
    'co_await co_return co_yield compl concept const ' +
    'const_cast consteval constexpr constinit continue decltype default delete do double dynamic_cast else enum ' +
    'explicit export extern false float for friend goto if ' +
    'import inline int long module mutable namespace new noexcept not not_eq nullptr operator or or_eq private ' +
    'protected public register reinterpret_cast requires ' +
    'restrict return short signed sizeof static static_assert static_cast struct switch template this ' +
    'thread_local throw true try typedef typeid typename typeof ' +
    'typeof_unqual union unsigned using virtual void volatile wchar_t while xor xor_eq far huge interrupt linux ' +
    'near unix'
  ).split(' '),
);

/**
 * Headers of the C and C++ libraries and of common firmware frameworks, which `<name>.h` on the include path would
 * hide, and their sources' names.
 */
const takenFiles = new Set(
  (
    'algorithm array arduino assert atomic bitset chrono cmath cmsis_gcc complex config cstdint cstdlib cstring ' +
    'ctype deque errno exception fenv float functional ' +
    'inttypes io iomanip ios iostream iso646 iterator limits list locale main map math memory mutex new numeric ' +
    'optional ostream queue random ratio regex sched set ' +
    'setjmp signal span sstream stack stdalign stdarg stdatomic stdbool stddef stdexcept stdint stdio stdlib ' +
    'stdnoreturn streambuf string string_view strings ' +
    'system_error tgmath thread threads time tuple type_traits typeindex typeinfo uchar unistd utility valarray ' +
    'variant vector version wchar wctype ' +
    'aio alloca any ar argz barrier bit byteswap charconv codecvt compare concepts coroutine cpio dirent dlfcn elf ' +
    'endian envz err error execution expected fastmath fcntl features filesystem fnmatch format ftw future generator ' +
    'getopt glob grp ieeefp langinfo latch libgen libintl link locale_t machine malloc monetary mqueue netdb newlib ' +
    'numbers obstack paths poll print printf pthread pwd ranges reent regexp resource search select semaphore spawn ' +
    'stacktrace sys syslog tar termios ucontext ulimit utime utmp values wait wordexp xlocale'
  ).split(' '),
);

/** Longest identifier that is kept as it is. */
const maxLength = 40;

/**
 * A C identifier from a model's file name: lower case letters, digits and single underscores. It is neither a keyword
 * of C or C++, nor a header's name, nor inside the runtime's prefixes; names that cannot be distinguished in ASCII get
 * a piece of their hash.
 *
 * @param file file name or path of a model, with or without `.onnx`
 * @returns e.g. `mobilenetv2_1_0_224_tv` for `models/mobilenetv2_1.0_224_tv.onnx`, at most 49 characters
 */
export function toIdentifier(file: string): string {
  const base = (file.split(/[\\/]/).pop() ?? '').replace(/\.onnx$/i, '');
  const decomposed = base.normalize('NFKD').replace(/\p{M}+/gu, '');
  let name = decomposed
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const lostLetters = /[^\p{ASCII}]/u.test(decomposed);
  if (/^[0-9]/.test(name)) name = `model_${name}`;
  if (name === '') name = 'model';
  if (reservedWords.has(name) || takenFiles.has(name)) name = `${name}_model`;
  if (/^(qmcu|quantmcu)/.test(name)) name = `model_${name}`;
  if (name.length > maxLength || lostLetters) {
    const hash = createHash('sha256').update(base).digest('hex').slice(0, 8);
    name = `${name.slice(0, maxLength).replace(/_+$/, '')}_${hash}`;
  }
  return name;
}

/** Prefix of a model's macros: the identifier in upper case. */
export function macroPrefix(name: string): string {
  return name.toUpperCase();
}
