/*
 * A TEST DOUBLE of NVIDIA's libnvidia-ml.so.1. It drives no hardware and was written from the
 * public function signatures alone. What it answers comes from a text file, the scenario, whose
 * path is in TUIAPP_NVML_DOUBLE:
 *
 *     # comment
 *     count = 2
 *     init = !DRIVER_NOT_LOADED           an error, by its name without NVML_ERROR_
 *     gpu0.util = 10 50 90                one value a call, over and over
 *     gpu0.fan = !NOT_SUPPORTED           this field fails
 *     gpu0.temp = 60 !UNKNOWN             this one fails at every second call
 *     gpu1 = !GPU_IS_LOST after 40        every call on this device fails, from its 41st on
 *     gpu1 = !GPU_IS_LOST after 40 for 9  and works again after nine that failed
 *     gpu1.power_mw = hang after 3        the fourth call never returns
 *     gpu*.mig = 1                        for every device that says nothing itself
 *
 * Numbers are in NVML's units. Fields and defaults: see DEFAULTS. The newest line of a key wins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
enum { MAX_GPUS = 16, MAX_RULES = 512, MAX_VALUES = 32, MAX_MIG = 7, WORD = 64, TEXT = 96 };
enum { OK = 0, INVALID_ARGUMENT = 2, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9 };

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
    {"mem_used_mib", 500}, {"sm_clock", 345},      {"mem_clock", 2619},
    {"sm_clock_max", 1980}, {"power_mw", 70000},   {"power_limit_mw", 700000},
    {"temp", 35},          {"temp_slowdown", 95},  {"pcie_gen", 5},
    {"pcie_gen_max", 5},   {"pcie_width", 16},     {"pcie_width_max", 16},
    {"pcie_tx_kb", 0},     {"pcie_rx_kb", 0},      {"throttle_reasons", 1},
    {"fan", 0},            {"mig", 0},             {"mig_instances", 0},
    {"virtualization", 0}, {"count", 1},           {"cuda", 13000},
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

static int ask(Gpu *gpu, const char *field, double *value) {
    int gone = present(gpu);
    if (gone) return gone;
    Rule *rule = find(gpu, field);
    int result = apply(rule, rule ? rule->calls++ : 0, value);
    if (result >= 0) return result;
    for (int i = 0; i < LENGTH(DEFAULTS); i++)
        if (!strcmp(DEFAULTS[i].field, field)) *value = DEFAULTS[i].value;
    return OK;
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

/* -- the library -------------------------------------------------------------------------- */

EXPORT int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    if (!started++) {
        load();
        fprintf(stderr, "nvml test double: these GPUs are scripted, no hardware is read\n");
    }
    for (int i = 0; i < MAX_GPUS; i++) {
        gpus[i].index = i;
        gpus[i].instance = -1;
        for (int j = 0; j < MAX_MIG; j++) instances[i][j] = (Gpu){.index = i, .instance = j};
    }
    double ignored;
    return ask(NULL, "init", &ignored);
}

EXPORT int nvmlShutdown(void) { return OK; }

EXPORT const char *nvmlErrorString(int code) {
    for (int i = 0; i < LENGTH(ERRORS); i++)
        if (ERRORS[i].code == code) return ERRORS[i].text;
    return "Unknown Error";
}

EXPORT int nvmlSystemGetDriverVersion(char *out, unsigned size) {
    return ask_text(NULL, "driver", "0.0 (test double)", out, size);
}

EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *out) {
    *out = number("cuda");
    return OK;
}

EXPORT int nvmlDeviceGetCount_v2(unsigned *out) { return ask_uint(NULL, "count", out); }

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, Gpu **out) {
    if (index >= MAX_GPUS || (int)index >= number("count")) return INVALID_ARGUMENT;
    double ignored;
    *out = &gpus[index];
    return ask(*out, "handle", &ignored);
}

EXPORT int nvmlDeviceGetName(Gpu *gpu, char *out, unsigned size) {
    if (gpu->instance < 0) return ask_text(gpu, "name", "Test double GPU", out, size);
    return ask_text(gpu, "mig_name", "Test double GPU MIG 1g.10gb", out, size);
}

typedef struct {
    char legacy[16];
    unsigned domain, bus, device, pci_id, subsystem_id;
    char bus_id[32];
} PciInfo;

EXPORT int nvmlDeviceGetPciInfo_v3(Gpu *gpu, PciInfo *out) {
    memset(out, 0, sizeof *out);
    snprintf(out->bus_id, sizeof out->bus_id, "00000000:%02X:00.0", gpu->index + 1);
    double ignored;
    return ask(gpu, "pci", &ignored);
}

EXPORT int nvmlDeviceGetUtilizationRates(Gpu *gpu, unsigned out[2]) {
    int result = ask_uint(gpu, "util", &out[0]);
    return result == OK ? ask_uint(gpu, "mem_util", &out[1]) : result;
}

static int memory(Gpu *gpu, unsigned long long *total, unsigned long long *used) {
    double total_mib = 0, used_mib = 0;
    int result = ask(gpu, "mem_total_mib", &total_mib);
    if (result == OK) result = ask(gpu, "mem_used_mib", &used_mib);
    *total = (unsigned long long)(total_mib * 1048576);
    *used = (unsigned long long)(used_mib * 1048576);
    return result;
}

EXPORT int nvmlDeviceGetMemoryInfo(Gpu *gpu, unsigned long long out[3]) {
    int result = memory(gpu, &out[0], &out[2]);
    out[1] = out[0] - out[2];
    return result;
}

typedef struct {
    unsigned version;
    unsigned long long total, reserved, free, used;
} MemoryV2;

EXPORT int nvmlDeviceGetMemoryInfo_v2(Gpu *gpu, MemoryV2 *out) {
    double ignored;
    int result = ask(gpu, "memory_v2", &ignored);
    if (result != OK) return result;
    result = memory(gpu, &out->total, &out->used);
    out->reserved = 0;
    out->free = out->total - out->used;
    return result;
}

EXPORT int nvmlDeviceGetClockInfo(Gpu *gpu, unsigned type, unsigned *out) {
    return ask_uint(gpu, type == 2 ? "mem_clock" : "sm_clock", out);
}

EXPORT int nvmlDeviceGetMaxClockInfo(Gpu *gpu, unsigned type, unsigned *out) {
    return ask_uint(gpu, type == 2 ? "mem_clock" : "sm_clock_max", out);
}

EXPORT int nvmlDeviceGetTemperature(Gpu *gpu, unsigned sensor, unsigned *out) {
    (void)sensor;
    return ask_uint(gpu, "temp", out);
}

EXPORT int nvmlDeviceGetTemperatureThreshold(Gpu *gpu, unsigned which, unsigned *out) {
    (void)which;
    return ask_uint(gpu, "temp_slowdown", out);
}

EXPORT int nvmlDeviceGetPcieThroughput(Gpu *gpu, unsigned counter, unsigned *out) {
    return ask_uint(gpu, counter == 0 ? "pcie_tx_kb" : "pcie_rx_kb", out);
}

#define NUMBER(function, field) \
    EXPORT int function(Gpu *gpu, unsigned *out) { return ask_uint(gpu, field, out); }
NUMBER(nvmlDeviceGetPowerUsage, "power_mw")
NUMBER(nvmlDeviceGetEnforcedPowerLimit, "power_limit_mw")
NUMBER(nvmlDeviceGetFanSpeed, "fan")
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, "pcie_gen")
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, "pcie_gen_max")
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, "pcie_width")
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, "pcie_width_max")

static int wide(Gpu *gpu, const char *field, unsigned long long *out) {
    double value = 0;
    int result = ask(gpu, field, &value);
    *out = (unsigned long long)value;
    return result;
}

/* Since driver 535; "event_reasons = !FUNCTION_NOT_FOUND" makes an older driver. */
EXPORT int nvmlDeviceGetCurrentClocksEventReasons(Gpu *gpu, unsigned long long *out) {
    return wide(gpu, find(gpu, "event_reasons") ? "event_reasons" : "throttle_reasons", out);
}

EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(Gpu *gpu, unsigned long long *out) {
    return wide(gpu, "throttle_reasons", out);
}

EXPORT int nvmlDeviceGetVirtualizationMode(Gpu *gpu, unsigned *out) {
    return ask_uint(gpu, "virtualization", out);
}

EXPORT int nvmlDeviceGetMigMode(Gpu *gpu, unsigned *current, unsigned *pending) {
    int result = ask_uint(gpu, "mig", current);
    *pending = *current;
    return result;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(Gpu *gpu, unsigned *out) {
    (void)gpu;
    *out = MAX_MIG;
    return OK;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(Gpu *gpu, unsigned index, Gpu **out) {
    unsigned count = 0;
    int result = ask_uint(gpu, "mig_instances", &count);
    if (result != OK) return result;
    if (index >= count || index >= MAX_MIG) return NOT_FOUND;
    *out = &instances[gpu->index][index];
    return OK;
}

EXPORT int nvmlDeviceGetGpuInstanceId(Gpu *gpu, unsigned *out) {
    *out = gpu->instance + 7;
    return OK;
}

EXPORT int nvmlDeviceGetComputeInstanceId(Gpu *gpu, unsigned *out) {
    (void)gpu;
    *out = 0;
    return OK;
}

/* Nobody may ask for these: a test looks for the line. */
EXPORT int nvmlDeviceGetUUID(Gpu *gpu, char *out, unsigned size) {
    (void)gpu;
    fprintf(stderr, "nvml test double: FORBIDDEN: a UUID was read\n");
    return snprintf(out, size, "GPU-double") < 0;
}

EXPORT int nvmlDeviceGetSerial(Gpu *gpu, char *out, unsigned size) {
    (void)gpu;
    fprintf(stderr, "nvml test double: FORBIDDEN: a serial number was read\n");
    return snprintf(out, size, "0") < 0;
}
