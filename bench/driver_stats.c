// What a Vulkan driver makes of compute shaders: driver_stats < list, a line a shader: "GROUP<tab>ENTRY<tab>UNIFORMS<tab>FILE.spv",
// UNIFORMS being a bit for each binding that is a uniform buffer; the others are storage buffers. Prints a line each:
// GROUP, then NAME=VALUE of every statistic of VK_KHR_pipeline_executable_properties. Built and used by static.sh.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define BINDINGS 16
#define MOST 32

static void check(VkResult result, const char *what) {
  if (result == VK_SUCCESS) return;
  fprintf(stderr, "driver_stats: %s: VkResult %d\n", what, result);
  exit(1);
}

static VkDevice createDevice(void) {
  VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_3};
  VkInstanceCreateInfo instanceInfo = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
  VkInstance instance;
  check(vkCreateInstance(&instanceInfo, NULL, &instance), "vkCreateInstance");
  uint32_t count = 1;
  VkPhysicalDevice gpu;
  vkEnumeratePhysicalDevices(instance, &count, &gpu);
  if (count == 0) {
    fprintf(stderr, "driver_stats: the driver has no device.\n");
    exit(1);
  }
  VkPhysicalDeviceVulkan13Features v13 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
  VkPhysicalDeviceVulkan12Features v12 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, &v13};
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR statistics = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR, &v12};
  VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &statistics};
  vkGetPhysicalDeviceFeatures2(gpu, &features); // all that there are
  float priority = 1;
  VkDeviceQueueCreateInfo queue = {
      VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
  const char *extension = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
  VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                             &features,
                             .queueCreateInfoCount = 1,
                             .pQueueCreateInfos = &queue,
                             .enabledExtensionCount = 1,
                             .ppEnabledExtensionNames = &extension};
  VkDevice device;
  check(vkCreateDevice(gpu, &info, NULL, &device), "vkCreateDevice");
  return device;
}

static VkPipelineLayout createLayout(VkDevice device, unsigned uniforms) {
  VkDescriptorSetLayoutBinding bindings[BINDINGS];
  for (unsigned i = 0; i < BINDINGS; i++) {
    VkDescriptorType type =
        uniforms >> i & 1 ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    bindings[i] = (VkDescriptorSetLayoutBinding){i, type, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
  }
  VkDescriptorSetLayoutCreateInfo setInfo = {
      VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = BINDINGS, .pBindings = bindings};
  VkDescriptorSetLayout set;
  check(vkCreateDescriptorSetLayout(device, &setInfo, NULL, &set), "vkCreateDescriptorSetLayout");
  VkPipelineLayoutCreateInfo info = {
      VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1, .pSetLayouts = &set};
  VkPipelineLayout layout;
  check(vkCreatePipelineLayout(device, &info, NULL, &layout), "vkCreatePipelineLayout");
  return layout;
}

static VkShaderModule loadModule(VkDevice device, const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "driver_stats: cannot read %s.\n", path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  size_t size = ftell(file);
  rewind(file);
  uint32_t *code = malloc(size);
  if (fread(code, 1, size, file) != size) exit(1);
  fclose(file);
  VkShaderModuleCreateInfo info = {
      VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = code};
  VkShaderModule module;
  check(vkCreateShaderModule(device, &info, NULL, &module), path);
  free(code);
  return module;
}

int main(void) {
  VkDevice device = createDevice();
  PFN_vkGetPipelineExecutableStatisticsKHR statisticsOf =
      (PFN_vkGetPipelineExecutableStatisticsKHR)vkGetDeviceProcAddr(device, "vkGetPipelineExecutableStatisticsKHR");
  char group[200], entry[100], path[1000];
  unsigned uniforms;
  while (scanf(" %199[^\t]\t%99[^\t]\t%u\t%999[^\n]", group, entry, &uniforms, path) == 4) {
    VkComputePipelineCreateInfo info = {
        VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR,
        .stage = {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = loadModule(device, path),
                  .pName = entry},
        .layout = createLayout(device, uniforms)};
    VkPipeline pipeline;
    check(vkCreateComputePipelines(device, NULL, 1, &info, NULL, &pipeline), path);
    VkPipelineExecutableInfoKHR executable = {
        VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, .pipeline = pipeline};
    VkPipelineExecutableStatisticKHR statistics[MOST];
    for (int i = 0; i < MOST; i++) {
      statistics[i] = (VkPipelineExecutableStatisticKHR){VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR};
    }
    uint32_t count = MOST;
    check(statisticsOf(device, &executable, &count, statistics), "vkGetPipelineExecutableStatisticsKHR");
    printf("%s", group);
    for (uint32_t i = 0; i < count; i++) {
      printf("\t%s=%llu", statistics[i].name, (unsigned long long)statistics[i].value.u64);
    }
    printf("\n");
    vkDestroyPipeline(device, pipeline, NULL);
  }
}
