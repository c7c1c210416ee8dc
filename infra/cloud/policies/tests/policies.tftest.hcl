variables {
  bucket      = "heads"
  prefix      = "teams/faces/"
  kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/k"
  region      = "eu-central-1"
}

run "every_role_has_a_policy_of_its_prefix" {
  command = plan

  assert {
    condition     = join(" ", sort(keys(output.documents))) == "data-worker gpu-worker person reader"
    error_message = "A role has no policy."
  }

  assert {
    condition = alltrue(flatten([
      for document in values(output.documents) : [
        for statement in jsondecode(document).Statement : [
          for resource in statement.Resource :
          contains(["arn:aws:s3:::heads", var.kms_key_arn], resource) || startswith(resource, "arn:aws:s3:::heads/teams/faces/")
        ]
      ]
    ]))
    error_message = "A statement reaches beyond the prefix."
  }
}

run "nobody_but_the_data_worker_writes_data" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for role, document in output.documents : [
        for statement in jsondecode(document).Statement : [
          for resource in statement.Resource :
          role == "data-worker" || !contains(statement.Action, "s3:PutObject") || endswith(resource, "/runs/*")
        ]
      ]
    ]))
    error_message = "Another role writes more than runs."
  }
}

run "a_reader_gets_no_data_keys" {
  command = plan

  assert {
    condition     = !strcontains(output.documents["reader"], "GenerateDataKey") && !strcontains(output.documents["reader"], "PutObject")
    error_message = "A reader could write."
  }
}
