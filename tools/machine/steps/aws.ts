// The AWS walk: what README shows, by the `aws` that a user brings (from PyPI, in a folder of theirs: Debian 12's is older
// than AWS_ENDPOINT_URL).
import type { World } from '../scenario.ts'

const WALK = `
cd polebean
python3 -m venv ~/aws && ~/aws/bin/pip install -q awscli
PATH=$HOME/aws/bin:$PATH
eval "$(bin/polebean env)"
(cd samples/flask-guestbook && zip -qr /tmp/app.zip .)
BUCKET=$(aws elasticbeanstalk create-storage-location --query S3Bucket --output text)
STACK=$(aws elasticbeanstalk list-available-solution-stacks --query "SolutionStacks[?contains(@,'Python')]|[0]" --output text)
aws s3 cp --only-show-errors /tmp/app.zip s3://$BUCKET/app.zip
aws elasticbeanstalk create-application --application-name shop >/dev/null
aws elasticbeanstalk create-application-version --application-name shop --version-label v1 --source-bundle S3Bucket=$BUCKET,S3Key=app.zip >/dev/null
aws elasticbeanstalk create-environment --application-name shop --environment-name shop-prod --cname-prefix shop --version-label v1 \
  --solution-stack-name "$STACK" --option-settings Namespace=aws:autoscaling:asg,OptionName=MinSize,Value=2 >/dev/null
aws elasticbeanstalk wait environment-exists --environment-names shop-prod
URL=$(bin/polebean list --json | grep -o 'http://shop\\.[^"]*')
for i in $(seq 180); do code=$(curl -s -o /dev/null -w '%{http_code}' $URL || true); [ "$code" = 200 ] && break; sleep 1; done
[ "$code" = 200 ]
aws elasticbeanstalk terminate-environment --environment-name shop-prod >/dev/null
aws elasticbeanstalk wait environment-terminated --environment-names shop-prod
rm -r ~/aws /tmp/app.zip
`

export async function aws({ guest }: World): Promise<string> {
  await guest.run(WALK, { timeoutMs: 1_200_000 })
  return 'storage, version, environment of two instances, 200, terminated'
}
