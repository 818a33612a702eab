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
 *     gpu0.mig1.mem_used_mib = 900        a MIG instance that says something itself
 *     gpu0.processes = 4711:500 12:-      process:MiB of memory, - where it is not told
 *     gpu0.process_util = 12:35           process:per cent of the SMs' time
 *     gpu0.fi.197 = 0 1000 2000           a value of nvmlDeviceGetFieldValues, by its number
 *
 * Numbers are in NVML's units. Fields and defaults: see DEFAULTS in scenario.h. The newest line of
 * a key wins.
 *
 * With TUIAPP_NVML_DOUBLE_COST=FILE the process leaves there how long its threads spent in here.
 */
#include "scenario.h"

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

__attribute__((destructor)) static void leave_cost(void) {
    const char *path = getenv("TUIAPP_NVML_DOUBLE_COST");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%llu %llu\n", asked_ns, asked_times);
    fclose(file);
}

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

EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, Gpu **out) {
    unsigned domain, bus;
    if (sscanf(bus_id, "%x:%x:", &domain, &bus) != 2 || !bus) return INVALID_ARGUMENT;
    return nvmlDeviceGetHandleByIndex_v2(bus - 1, out);
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
    if (gpu->instance >= 0) return NOT_SUPPORTED;
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
    return ask_uint(gpu, type == 2 ? "mem_clock_max" : "sm_clock_max", out);
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

/* -- processes ---------------------------------------------------------------------------- */

typedef struct {
    unsigned pid;
    unsigned long long used_bytes;
    unsigned gpu_instance, compute_instance;
} Process;

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(Gpu *gpu, unsigned *count, Process *out) {
    double ignored;
    Rule *rule = find(gpu, "processes");
    int result = present(gpu), found = rule ? rule->count : 0;
    if (result == OK && found && *rule->values[0] == '!') result = apply(rule, rule->calls++, &ignored);
    if (result != OK) return result;
    if (found && (!out || *count < (unsigned)found)) return *count = found, INSUFFICIENT_SIZE;
    *count = found;
    for (int i = 0; i < found; i++) {
        char *colon = strchr(rule->values[i], ':');
        int known = colon && colon[1] != '-';
        out[i].pid = atoi(rule->values[i]);
        out[i].used_bytes = known ? strtoull(colon + 1, NULL, 10) << 20 : ~0ull;
    }
    return OK;
}

typedef struct {
    unsigned pid;
    unsigned long long time_us;
    unsigned sm, memory, encoder, decoder;
} Utilization;

/* A sample a process and second call, as the first one only asks for the size. */
EXPORT int nvmlDeviceGetProcessUtilization(Gpu *gpu, Utilization *out, unsigned *count,
                                           unsigned long long since_us) {
    double ignored;
    Rule *rule = find(gpu, "process_util");
    int result = present(gpu);
    if (result == OK && !rule) result = NOT_FOUND;
    if (result == OK && *rule->values[0] == '!') result = apply(rule, rule->calls++, &ignored);
    if (result != OK) return result;
    *count = rule->count;
    if (!out) return INSUFFICIENT_SIZE;
    for (int i = 0; i < rule->count; i++) {
        char *colon = strchr(rule->values[i], ':');
        out[i] = (Utilization){.pid = atoi(rule->values[i]), .time_us = since_us + 1000};
        out[i].sm = colon ? atoi(colon + 1) : 0;
    }
    return OK;
}

/* -- many values in one call -------------------------------------------------------------- */

typedef struct {
    unsigned field, scope;
    long long time_us, latency_us;
    unsigned type;
    int result;
    union { double d; unsigned u; unsigned long long ull; } value;
} FieldValue;

EXPORT int nvmlDeviceGetFieldValues(Gpu *gpu, int count, FieldValue *out) {
    int gone = present(gpu);
    for (int i = 0; i < count && !gone; i++) {
        double value = 0;
        char name[WORD];
        snprintf(name, sizeof name, "fi.%u", out[i].field);
        out[i].result = ask(gpu, name, &value);
        out[i].type = 3;
        out[i].value.ull = (unsigned long long)value;
    }
    return gone;
}

/* -- what holds for the run --------------------------------------------------------------- */

NUMBER(nvmlDeviceGetPerformanceState, "pstate")
NUMBER(nvmlDeviceGetArchitecture, "architecture")
NUMBER(nvmlDeviceGetComputeMode, "compute_mode")
NUMBER(nvmlDeviceGetPersistenceMode, "persistence")
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, "power_default_mw")
NUMBER(nvmlDeviceGetMemoryBusWidth, "mem_bus_bits")

EXPORT int nvmlDeviceGetCudaComputeCapability(Gpu *gpu, int *major, int *minor) {
    unsigned both = 0;
    int result = ask_uint(gpu, "capability", &both);
    *major = both / 10;
    *minor = both % 10;
    return result;
}

EXPORT int nvmlDeviceGetEccMode(Gpu *gpu, unsigned *current, unsigned *pending) {
    int result = ask_uint(gpu, "ecc", current);
    *pending = *current;
    return result;
}

EXPORT int nvmlDeviceGetPowerManagementLimitConstraints(Gpu *gpu, unsigned *low, unsigned *high) {
    int result = ask_uint(gpu, "power_min_mw", low);
    return result == OK ? ask_uint(gpu, "power_max_mw", high) : result;
}

EXPORT int nvmlDeviceGetApplicationsClock(Gpu *gpu, unsigned type, unsigned *out) {
    (void)type;
    return ask_uint(gpu, "sm_clock_set", out);
}

EXPORT int nvmlDeviceGetDefaultApplicationsClock(Gpu *gpu, unsigned type, unsigned *out) {
    (void)type;
    return ask_uint(gpu, "sm_clock_default", out);
}

EXPORT int nvmlDeviceGetNvLinkState(Gpu *gpu, unsigned link, unsigned *out) {
    unsigned links = 0;
    int result = ask_uint(gpu, "nvlink_links", &links);
    if (result == OK && !links) return NOT_SUPPORTED;
    if (result == OK && link >= links) return INVALID_ARGUMENT;
    return result == OK ? ask_uint(gpu, "nvlink_state", out) : result;
}

EXPORT int nvmlDeviceGetP2PStatus(Gpu *gpu, Gpu *other, unsigned index, unsigned *out) {
    (void)other, (void)index;
    return ask_uint(gpu, "p2p", out);
}

typedef struct {
    unsigned environment, feature, dev_tools;
} ConfidentialState;

EXPORT int nvmlSystemGetConfComputeState(ConfidentialState *out) {
    double value = 0;
    int result = ask(NULL, "confidential", &value);
    *out = (ConfidentialState){value ? 2 : 0, (unsigned)value, 0};
    return result;
}

typedef struct {
    unsigned code, state;
    char licence[128], product[128];
    unsigned enabled;
    struct { unsigned year; unsigned short month, day, hour, min, sec; unsigned char status; } expiry;
} Feature;

typedef struct {
    int supported;
    unsigned count;
    Feature features[3];
} Features;

EXPORT int nvmlDeviceGetGridLicensableFeatures_v4(Gpu *gpu, Features *out) {
    unsigned licensed = 0;
    int result = ask_uint(gpu, "licensed", &licensed);
    memset(out, 0, sizeof *out);
    out->supported = 1;
    out->count = 1;
    out->features[0].code = 4;
    out->features[0].state = out->features[0].enabled = licensed;
    return result;
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
