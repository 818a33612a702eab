/* The scenario of the test double: what is read from the file, and what it answers at each call. */
#ifndef SCENARIO_H
#define SCENARIO_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
enum { MAX_GPUS = 16, MAX_RULES = 512, MAX_VALUES = 32, MAX_MIG = 7, WORD = 64, TEXT = 192 };
enum { OK = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };

typedef struct {
    char key[WORD];
    char text[TEXT];
    char values[MAX_VALUES][WORD];
    int count, after, lasts, calls;
} Rule;

/* A device, or a MIG instance of one. */
typedef struct {
    int index, instance, calls;
} Gpu;

static Rule rules[MAX_RULES];
static int rule_count, started;
static Gpu gpus[MAX_GPUS], instances[MAX_GPUS][MAX_MIG];

static const struct { const char *field; double value; } DEFAULTS[] = {
    {"util", 0},           {"mem_util", 0},        {"mem_total_mib", 81559},
    {"mem_used_mib", 100}, {"sm_clock", 345},      {"mem_clock", 2619},
    {"sm_clock_max", 1980}, {"power_mw", 70000},   {"power_limit_mw", 700000},
    {"temp", 35},          {"temp_slowdown", 95},  {"pcie_gen", 5},
    {"pcie_gen_max", 5},   {"pcie_width", 16},     {"pcie_width_max", 16},
    {"pcie_tx_kb", 0},     {"pcie_rx_kb", 0},      {"throttle_reasons", 1},
    {"fan", 0},            {"mig", 0},             {"mig_instances", 0},
    {"virtualization", 0}, {"count", 1},           {"cuda", 13000},
    {"pstate", 0},         {"architecture", 9},    {"capability", 90},
    {"compute_mode", 0},   {"persistence", 1},     {"ecc", 1},
    {"power_default_mw", 700000}, {"power_min_mw", 200000}, {"power_max_mw", 700000},
    {"sm_clock_set", 1980}, {"sm_clock_default", 1980}, {"mem_clock_max", 2619},
    {"mem_bus_bits", 5120}, {"nvlink_links", 18},  {"nvlink_state", 1},
    {"p2p", 0},            {"licensed", 1},        {"confidential", 0},
    {"init", 0},           {"handle", 0},          {"pci", 0},
    {"memory_v2", 0},
    /* nvmlDeviceGetFieldValues, by NVML_FI_DEV_ number; 90: MB/s of a link, 83: mJ. */
    {"fi.3", 0},   {"fi.4", 0},   {"fi.5", 0},   {"fi.6", 0},   {"fi.29", 0},  {"fi.30", 0},
    {"fi.31", 0},  {"fi.38", 0},  {"fi.45", 0},  {"fi.52", 0},  {"fi.59", 0},  {"fi.74", 0},
    {"fi.75", 0},  {"fi.77", 0},  {"fi.79", 0},  {"fi.82", 45}, {"fi.83", 1e6}, {"fi.90", 26562},
    {"fi.94", 0},  {"fi.138", 0}, {"fi.139", 0}, {"fi.142", 0}, {"fi.143", 0}, {"fi.144", 0},
    {"fi.145", 0}, {"fi.197", 0}, {"fi.198", 0},
};

static const struct { const char *name; int code; const char *text; } ERRORS[] = {
    {"UNINITIALIZED", 1, "Uninitialized"},
    {"INVALID_ARGUMENT", 2, "Invalid Argument"},
    {"NOT_SUPPORTED", 3, "Not Supported"},
    {"NO_PERMISSION", 4, "Insufficient Permissions"},
    {"NOT_FOUND", 6, "Not Found"},
    {"INSUFFICIENT_SIZE", 7, "Insufficient Size"},
    {"DRIVER_NOT_LOADED", 9, "Driver Not Loaded"},
    {"TIMEOUT", 10, "Timeout"},
    {"FUNCTION_NOT_FOUND", 13, "Function Not Found"},
    {"GPU_IS_LOST", 15, "GPU is lost"},
    {"RESET_REQUIRED", 16, "GPU requires restart"},
    {"LIB_RM_VERSION_MISMATCH", 18, "Driver/library version mismatch"},
    {"UNKNOWN", 999, "Unknown Error"},
};
#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

static void die(const char *what, const char *about) {
    fprintf(stderr, "nvml test double: %s: %s\n", what, about);
    exit(70);
}

static int error_code(const char *name) {
    for (int i = 0; i < LENGTH(ERRORS); i++)
        if (!strcmp(ERRORS[i].name, name)) return ERRORS[i].code;
    die("no such error", name);
    return 0;
}

/* -- the scenario ------------------------------------------------------------------------- */

static char *trim(char *text) {
    text += strspn(text, " \t");
    text[strcspn(text, "\r\n#")] = 0;
    for (size_t n = strlen(text); n && strchr(" \t", text[n - 1]);) text[--n] = 0;
    return text;
}

static void parse(char *line) {
    char *equals = strchr(line, '=');
    if (!equals) {
        if (*trim(line)) die("no '=' in", line);
        return;
    }
    if (rule_count == MAX_RULES) die("too many lines", line);
    *equals = 0;
    Rule *rule = &rules[rule_count++];
    snprintf(rule->key, WORD, "%s", trim(line));
    snprintf(rule->text, TEXT, "%s", trim(equals + 1));
    char words[TEXT];
    snprintf(words, TEXT, "%s", rule->text);
    for (char *word = strtok(words, " \t"); word; word = strtok(NULL, " \t")) {
        int *number = !strcmp(word, "after") ? &rule->after : !strcmp(word, "for") ? &rule->lasts : NULL;
        if (number && (word = strtok(NULL, " \t"))) *number = atoi(word);
        else if (rule->count < MAX_VALUES) snprintf(rule->values[rule->count++], WORD, "%s", word);
    }
}

static void load(void) {
    const char *path = getenv("TUIAPP_NVML_DOUBLE");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) die("no scenario; set TUIAPP_NVML_DOUBLE", path ? path : "(unset)");
    char line[512];
    while (fgets(line, sizeof line, file)) parse(line);
    fclose(file);
}

/* The newest line for the key; of the key for every device ("gpu*..."), when there is none. */
static Rule *find(const Gpu *gpu, const char *field) {
    char own[WORD], every[WORD];
    const char *dot = *field ? "." : "";
    snprintf(own, WORD, "%s", field);
    if (gpu) snprintf(own, WORD, "gpu%d%s%s", gpu->index, dot, field);
    if (gpu && gpu->instance >= 0 && *field) {
        snprintf(every, WORD, "gpu%d.mig%d.%s", gpu->index, gpu->instance, field);
        for (int i = rule_count - 1; i >= 0; i--)
            if (!strcmp(rules[i].key, every)) return &rules[i];
    }
    snprintf(every, WORD, "gpu*%s%s", dot, field);
    for (int i = rule_count - 1; i >= 0; i--)
        if (!strcmp(rules[i].key, own)) return &rules[i];
    for (int i = rule_count - 1; gpu && i >= 0; i--)
        if (!strcmp(rules[i].key, every)) return &rules[i];
    return NULL;
}

/* What the rule says at this call: OK and *value, or an error; -1 when it says nothing (yet). */
static int apply(Rule *rule, int call, double *value) {
    if (!rule || call < rule->after || !rule->count) return -1;
    if (rule->lasts && call >= rule->after + rule->lasts) return -1;
    const char *word = rule->values[(call - rule->after) % rule->count];
    if (!strcmp(word, "hang"))
        for (;;) pause();
    if (*word == '!') return error_code(word + 1);
    *value = atof(word);
    return OK;
}

/* Whether the device as a whole works; counts the call. */
static int present(Gpu *gpu) {
    double ignored;
    int result = gpu ? apply(find(gpu, ""), gpu->calls++, &ignored) : OK;
    return result < 0 ? OK : result;
}

static unsigned long long asked_ns, asked_times;

static unsigned long long thread_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int answer(Gpu *gpu, const char *field, double *value) {
    int gone = present(gpu);
    if (gone) return gone;
    Rule *rule = find(gpu, field);
    int result = apply(rule, rule ? rule->calls++ : 0, value);
    if (result >= 0) return result;
    for (int i = 0; i < LENGTH(DEFAULTS); i++)
        if (!strcmp(DEFAULTS[i].field, field)) return *value = DEFAULTS[i].value, OK;
    return NOT_SUPPORTED;
}

static int ask(Gpu *gpu, const char *field, double *value) {
    if (!getenv("TUIAPP_NVML_DOUBLE_COST")) return answer(gpu, field, value);
    unsigned long long before = thread_ns();
    int result = answer(gpu, field, value);
    asked_ns += thread_ns() - before;
    asked_times++;
    return result;
}

static int ask_text(Gpu *gpu, const char *field, const char *otherwise, char *out, unsigned size) {
    double ignored;
    Rule *rule = find(gpu, field);
    int result = present(gpu);
    if (result == OK && rule && *rule->text == '!') result = apply(rule, rule->calls++, &ignored);
    if (result != OK) return result;
    if ((unsigned)snprintf(out, size, "%s", rule ? rule->text : otherwise) >= size) return INSUFFICIENT_SIZE;
    return OK;
}

static int ask_uint(Gpu *gpu, const char *field, unsigned *out) {
    double value = 0;
    int result = ask(gpu, field, &value);
    if (result == OK) *out = (unsigned)value;
    return result;
}

static int number(const char *field) {
    double value = 0;
    return ask(NULL, field, &value) == OK ? (int)value : 0;
}

#endif
