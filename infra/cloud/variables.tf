variable "name" {
  description = "What everything is called by, and begins with."
  type        = string
  default     = "tempeh"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "Lower-case letters, digits and dashes, 31 at most, a letter first."
  }
}

variable "bucket" {
  description = "The bucket's name: all that lasts lies there (storage.bucket)."
  type        = string
}

variable "prefix" {
  description = "What the keys of this team begin with (storage.prefix): empty, or ending with a slash."
  type        = string
  default     = ""

  validation {
    condition     = var.prefix == "" || can(regex("^[^/].*/$", var.prefix))
    error_message = "Empty, or ending with a slash and not beginning with one."
  }
}

variable "keep_replaced_days" {
  description = "Days that replaced and deleted objects can be had back. Checkpoints that runs dropped cost that long."
  type        = number
  default     = 7

  validation {
    condition     = var.keep_replaced_days >= 1
    error_message = "One day or more."
  }
}

variable "unfinished_upload_days" {
  description = "Days after which parts of uploads that never ended are removed. Runs sweep their own after a day."
  type        = number
  default     = 7

  validation {
    condition     = var.unfinished_upload_days >= 2
    error_message = "Two days or more: a large checkpoint on a slow line is still being sent."
  }
}

variable "cluster" {
  description = "The EKS cluster that the chart is installed on; null: bucket, key and policies only."
  type = object({
    name              = string
    namespace         = string
    oidc_provider_arn = string
    # Without https://
    oidc_issuer = string
    subnet_ids  = list(string)
    # The chart gives them these names (chart_values): RELEASE-data, RELEASE-gpu, or others.
    data_service_account = string
    gpu_service_account  = string
  })
  default = null
}

variable "gpu_nodes" {
  description = "Spot machines that train and predict: from none to `max`."
  type = object({
    instance_types = list(string)
    ami_type       = string
    max            = number
    disk_gb        = number
  })
  default = {
    # Several, so that one that is not to be had stops nothing. One GPU each: a pod takes one.
    instance_types = ["g6.4xlarge", "g6e.4xlarge", "g5.4xlarge"]
    ami_type       = "AL2023_x86_64_NVIDIA"
    max            = 4
    disk_gb        = 400
  }
}

variable "data_nodes" {
  description = "Machines that stay: workflows, packing, evaluation."
  type = object({
    instance_types = list(string)
    count          = number
    disk_gb        = number
  })
  default = {
    instance_types = ["m7i.2xlarge"]
    count          = 1
    disk_gb        = 100
  }
}

variable "tags" {
  description = "Of everything that can have tags."
  type        = map(string)
  default     = {}
}
